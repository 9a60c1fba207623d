//! Streams made by `CharLS` 2.4.3 (imagecodecs 2026.3.6).

use super::*;

/// 9 × 6 samples of 8 bits, lossless.
const LOSSLESS_8: &str = "ffd8ffe800205350494646000200000100000006000000090a0806010000012c0000012cffe8000800000001ffd8fff7000b080006000901011100ffda0008010100000000738a9006ad20184087013ce7705013023142b188d696a4e957a5ffd9";
const VALUES_8: [u16; 54] = [
    2, 8, 15, 21, 2, 2, 2, 2, 2, 15, 21, 29, 35, 2, 2, 2, 2, 2, 27, 35, 40, 49, 2, 2, 2, 2, 2, 39, 48, 55, 62, 2, 2, 2, 2, 2, 52,
    59, 67, 74, 2, 2, 2, 2, 2, 67, 73, 80, 86, 2, 2, 2, 2, 2,
];
/// The same with an error of at most 2.
const NEAR_8: &str = "ffd8ffe800205350494646000200000100000006000000090a0806010000012c0000012cffe8000800000001ffd8fff7000b080006000901011100ffda00080101000200009f85e2458b22995c48b17925ef24b178ffd9";
const VALUES_NEAR: [u16; 54] = [
    0, 10, 15, 21, 1, 1, 1, 1, 1, 15, 20, 30, 35, 0, 0, 0, 0, 0, 26, 36, 38, 48, 3, 3, 3, 3, 3, 41, 46, 56, 61, 0, 0, 0, 0, 0,
    53, 59, 67, 72, 4, 4, 4, 4, 4, 67, 73, 80, 86, 0, 0, 0, 0, 0,
];
/// 8 × 5 samples of 16 bits with presets.
const LOSSLESS_16: &str = "ffd8ffe800205350494646000200000100000005000000080a1006010000012c0000012cffe8000800000001ffd8fff7000b100005000801011100fff8000d01ffff0012004301140040ffda000801010000000040381b0260b8550341a0906a054190260b784a090681706b8840a120785b8c808281614cffd9";
const VALUES_16: [u16; 40] = [
    2, 9, 15, 23, 2, 2, 2, 2, 15, 21, 29, 34, 2, 2, 2, 2, 27, 33, 41, 48, 2, 2, 2, 2, 40, 47, 55, 61, 2, 2, 2, 2, 53, 60, 68, 74,
    2, 2, 2, 2,
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

#[test]
fn streams_of_another_encoder() {
    for (stream, size, values) in
        [(LOSSLESS_8, (9, 6, 1), &VALUES_8[..]), (NEAR_8, (9, 6, 1), &VALUES_NEAR[..]), (LOSSLESS_16, (8, 5, 1), &VALUES_16[..])]
    {
        assert_eq!(decode(&bytes(stream), size).unwrap().samples, values);
    }
}

#[test]
fn damaged_streams_get_a_sentence() {
    let whole = bytes(LOSSLESS_8);
    for n in 0..whole.len() - 12 {
        assert!(decode(&whole[..n], (9, 6, 1)).is_err(), "{n} bytes");
    }
    assert!(decode(&whole, (9, 7, 1)).is_err());
    for at in 0..whole.len() {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut other = whole.clone();
            other[at] = value;
            let _ = decode(&other, (9, 6, 1));
        }
    }
}
