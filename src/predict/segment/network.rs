//! An ONNX network: loaded from bytes, checked against what the manifest says, run.

use super::input::Frame;
use crate::base::{Error, Result};
use crate::model::Segmenter;
use rten::{Dimension, Model, Value};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A network with one input and, of its outputs, the first.
pub(super) struct Network(Model);

/// What a run gave.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Network {
    /// [`Error::Malformed`] for what is no network, [`Error::Unsupported`] for operators that the runtime lacks.
    pub(super) fn load(bytes: &[u8]) -> Result<Self> {
        // A crafted file must not end the program.
        let loaded = catch_unwind(AssertUnwindSafe(|| Model::load(bytes.to_vec())));
        match loaded {
            Ok(Ok(model)) => Ok(Self(model)),
            Ok(Err(e)) => Err(Error::malformed(format!("the network cannot be loaded as ONNX: {e}"))),
            Err(_) => Err(Error::malformed("the network is damaged: loading it failed")),
        }
    }

    /// Whether the input is as the manifest says.
    pub(super) fn check(&self, frame: &Frame, segmenter: &Segmenter) -> Result<()> {
        let (n_inputs, n_outputs) = (self.0.input_ids().len(), self.0.output_ids().len());
        if n_inputs != 1 || n_outputs == 0 {
            return Err(Error::unsupported(format!(
                "the network has {n_inputs} inputs and {n_outputs} outputs; one input and at least one output were expected"
            )));
        }
        let wanted = frame.shape(segmenter.layout);
        let Some(declared) = self.0.input_shape(0) else { return Ok(()) };
        let fits = declared.len() == wanted.len()
            && declared.iter().zip(&wanted).all(|(d, w)| match d {
                Dimension::Fixed(n) => n == w,
                Dimension::Symbolic(_) => true,
            });
        let show = |d: &Dimension| match d {
            Dimension::Fixed(n) => n.to_string(),
            Dimension::Symbolic(name) => name.clone(),
        };
        if fits {
            return Ok(());
        }
        let declared: Vec<String> = declared.iter().map(show).collect();
        Err(Error::unsupported(format!(
            "the network wants an input of [{}], and the manifest gives it {wanted:?}; correct layout and size in the manifest",
            declared.join(", ")
        )))
    }

    /// One run over pixels in the layout of the network.
    pub(super) fn run(&self, pixels: Vec<f32>, shape: &[usize]) -> Result<Output> {
        let input = Tensor::from_data(shape, pixels);
        let ran = catch_unwind(AssertUnwindSafe(|| self.0.run_one(Value::from(input).into(), None)));
        let value = match ran {
            Ok(Ok(value)) => value,
            Ok(Err(e)) => return Err(Error::unsupported(format!("the network cannot be run: {e}"))),
            Err(_) => return Err(Error::malformed("the network failed while it ran; it does not fit its input")),
        };
        match value {
            Value::FloatTensor(t) => Ok(Output { shape: t.shape().to_vec(), values: t.to_vec() }),
            _ => Err(Error::unsupported("the output of the network is not in single precision")),
        }
    }
}
