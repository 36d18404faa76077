// Written by Scripts/make-element-goldens.py with ml_dtypes 0.6.0 and numpy 2.4.6

/// The first 8 hex digits of the SHA-256 of each conversion; the codes of types below a byte take a byte each.
enum ElementGoldens {
  static let targets =
    "F4 F6_E2M3 F6_E3M2 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ F16 BF16 F32 F64"

  static let digests = """
    F4 be45cb26 36a87818 f227d1ac bf384aac e9952eff 2665b9c0 3ba47c5d 22e2f062 612bb1ee ee8ffd0c c736c7e2 bafb8c3b
    F6_E2M3 d24ad252 fdeab9ac 4a502a3a 455cda52 20d6c09a 2a725c42 5015772b 7c53b481 3228b0a5 d4c39e99 178eab5d 2cad943f
    F6_E3M2 8b9f49d5 e08e1f94 fdeab9ac ab1f9d42 fa06d20f 5bb3166c 3b3574f9 89c92b64 8a916fd5 227a8a9e 1f218748 fe6ecfe7
    F8_E5M2 e57e249c e81e0f43 3aae4d85 40aff2e9 a2df1f99 0e078f1b f1b8978a 7769aec8 463691e0 b300e9ee e119e018 1ceb87be
    F8_E4M3 bae6d5b2 a859a373 55f7c5d0 6aa3ec7d 40aff2e9 5b1f9166 d8e6c897 384f2d18 26f6424f f45890c7 fbfd4071 bab4a7ff
    F8_E8M0 b1862c00 81837a06 2546ac4e 13be2373 1011a51c 40aff2e9 1768f72f f2a35e1b 18b6eb0c a14d04d5 2fb2732a a3dfaeaa
    F8_E4M3FNUZ c7cba693 a42c23af 9f02247d bab434fe 08900335 31351aa6 40aff2e9 8ea5315f 67ea379d c32261e4 0a964337 3a9f0169
    F8_E5M2FNUZ 1ad6b0a7 ef344c28 9713b8f0 f13bce6a ae97dc9a ed30b292 5282c16e 40aff2e9 5838de86 7ce8f6ad ef71f572 5c9ef5df
    F16 b619dc13 5abfbb19 1c96b732 15ab0c39 5fca763e 81e32aad 95e6fb5b 0fa2de8e 68e41947 3f6dec83 f4fdd084 abaa35fb
    BF16 99f64cb4 16d0e203 b7379fb8 090ec74f 556222ae d0ecf0c2 b5a02ccd fbc7c46b ab89ed14 68e41947 9207d7eb 0e2b1e87
    BOOL 5213f8fd e7e7d79b 6a15d45c 7d9862b1 e3f761bc f5f027f7 f1f8502c f1f8502c 14734483 efd475d4 ab579e28 c788ab9a
    U8 d2c992ee 74d91fca 9bf899ee 7a0e2e45 ef1de080 308375b8 1ff9e41b ab6d7977 5801eceb 8549db23 04441b72 ffc81e13
    I8 8d807e4a 7461f679 e78d7ce7 38bfd096 546193dc 7512af93 b53944dd b225c6fe 78db7882 437847f7 d4b395f3 532d1d5d
    I16 4fe8fd13 371cb728 1595966e 98517c37 b892ba4e 4134b6d3 2a335973 e0522537 4ced34d8 d01bc2c5 1964bf18 e86856ea
    U16 21ec0d45 695fef9c a33432e5 ce116d55 d4bbf1f9 d2c26733 7f0316ee 7bd1c0d1 ccf21a68 b645b110 00f2c484 85e2c50c
    F32 7e05fa24 a8721a9d 280e1d28 edef7e82 63ae9d23 79468ead ae12c853 68ba262c b0db832d b78bd9e0 b2a77ff2 e28816ad
    """
}
