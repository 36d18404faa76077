// The loops that Swift's vectoriser can't reach: table lookups in registers, saturating packs and half conversions.
// Every function here has a plain Swift reference that it must equal bit for bit.
#ifndef BALE_CKERNELS_H
#define BALE_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "integer.h"
#include "layouts.h"
#include "magnitude.h"
#include "mx.h"
#include "normalfloat.h"
#include "nvfp4.h"
#include "statistics.h"
#include "trellis.h"
#include "elements.h"
#include "field16.h"
#include "planes.h"
#include "fp8.h"
#include "huffman.h"
#include "ggml.h"
#include "spqr.h"

#endif
