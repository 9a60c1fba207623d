//! Small ONNX networks, written byte by byte.
#![allow(dead_code, reason = "each test uses some of it")]

fn varint(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while n >= 0x80 {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

fn tensor(name: &str, dims: &[u64], values: &[f32]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|d| number(1, *d)).collect();
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    [dims, number(2, 1), bytes(8, name.as_bytes()), bytes(9, &raw)].concat()
}

/// An input or output; `None` is a size that the network leaves open.
fn value(name: &str, dims: &[Option<u64>]) -> Vec<u8> {
    let dim = |d: &Option<u64>| d.map_or_else(|| bytes(2, b"any"), |n| number(1, n));
    let shape: Vec<u8> = dims.iter().flat_map(|d| bytes(1, &dim(d))).collect();
    let kind = [number(1, 1), bytes(2, &shape)].concat();
    [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &kind))].concat()
}

fn node(op: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|i| bytes(1, i.as_bytes())).collect();
    [inputs, bytes(2, output.as_bytes()), bytes(3, op.as_bytes()), bytes(4, op.as_bytes())].concat()
}

/// A list of whole numbers as an attribute of a node.
fn ints(name: &str, values: &[u64]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|v| number(8, *v)).collect();
    bytes(5, &[bytes(1, name.as_bytes()), values, number(20, 7)].concat())
}

fn model(nodes: &[Vec<u8>], constants: &[Vec<u8>], input: Vec<u8>, output: Vec<u8>) -> Vec<u8> {
    let nodes: Vec<u8> = nodes.iter().flat_map(|n| bytes(1, n)).collect();
    let constants: Vec<u8> = constants.iter().flat_map(|c| bytes(5, c)).collect();
    let graph = [nodes, bytes(2, b"g"), constants, bytes(11, &input), bytes(12, &output)].concat();
    [number(1, 8), bytes(8, &number(2, 17)), bytes(7, &graph)].concat()
}

/// A 1 × 1 convolution to three classes: 0 up to 0.4, 1 up to 0.7, 2 above.
pub fn three_classes(size: [Option<u64>; 2]) -> Vec<u8> {
    let dims = |c| [Some(1), Some(c), size[0], size[1]];
    let weights = tensor("w", &[3, 1, 1, 1], &[0.0, 1.0, 2.0]);
    let bias = tensor("b", &[3], &[0.0, -0.4, -1.1]);
    let conv = [
        node("Conv", &["x", "w", "b"], "y"),
        ints("kernel_shape", &[1, 1]),
        ints("strides", &[1, 1]),
        ints("pads", &[0; 4]),
        ints("dilations", &[1, 1]),
    ]
    .concat();
    model(&[conv], &[weights, bias], value("x", &dims(1)), value("y", &dims(3)))
}

/// A volume less 0.5.
pub fn less_half() -> Vec<u8> {
    let dims = [Some(1), Some(1), None, None, None];
    let half = tensor("h", &[1], &[0.5]);
    model(&[node("Sub", &["x", "h"], "y")], &[half], value("x", &dims), value("y", &dims))
}

/// A network with an operator that nobody knows.
pub fn unknown_operator() -> Vec<u8> {
    let dims = [Some(1), Some(1), None, None];
    model(&[node("Frobnicate", &["x"], "y")], &[], value("x", &dims), value("y", &dims))
}
