#!/usr/bin/env bash
# The tests under the thread sanitizer: Scripts/tsan.sh [FILTER]. Without a filter, those of what runs on several threads.
# In a build folder of its own. Prints each report; the exit status is 1 if there is one, or if a test fails.
set -euo pipefail
cd "$(dirname "$0")/.."

filter=${1:-PipelineTests|ByteIOTests|CompressionTests|BaleFormatTests|ParityTests|ManifestsTests|ExpertsTests|DeterminismTests}
log=out/tsan.log
mkdir -p out
export TSAN_OPTIONS=halt_on_error=0
status=0
swift test --sanitize thread --scratch-path .build/tsan --filter "$filter" >"$log" 2>&1 || status=1
grep -A 30 'WARNING: ThreadSanitizer' "$log" || true
reports=$(grep -c 'WARNING: ThreadSanitizer' "$log" || true)
grep -E 'Test run with' "$log" || tail -20 "$log"
echo "$reports reports of the thread sanitizer"
[ "$status" -eq 0 ] && [ "$reports" -eq 0 ]
