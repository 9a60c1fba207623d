//! Complete cases: canonical correlation knows no missing values, so it uses the samples that have all of
//! both views and says how many that are.

use crate::base::{Error, Result};
use crate::model::Views;

/// A feature missing in more than this share of the common samples is dropped rather than its samples.
const MOSTLY: f64 = 0.5;

/// A feature that was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Name of its view.
    pub view: String,
    /// Its name.
    pub feature: String,
    /// As `constant`.
    pub reason: String,
}

/// The samples with all of both views and the features that vary over them.
#[derive(Clone, Debug, PartialEq)]
pub struct Cases {
    /// Samples of the union of views.
    pub samples: Vec<usize>,
    /// Used features per view, as numbers of the view's features.
    pub features: [Vec<usize>; 2],
    /// Values per view: samples × used features, row-major, all finite.
    pub values: [Vec<f64>; 2],
    /// Features that were not used.
    pub dropped: Vec<Dropped>,
    /// Samples that have both views but miss a value.
    pub n_incomplete: usize,
}

impl Cases {
    /// The complete cases of the first two views. [`Error::Degenerate`] where fewer than 3 samples or no
    /// feature of a view remain.
    pub fn new(views: &Views) -> Result<Self> {
        let common = views.present_in(&[0, 1]);
        let mut dropped = Vec::new();
        let mut features: [Vec<usize>; 2] = Default::default();
        let raw = [0, 1].map(|v| views.matrix(v, &common));
        for view in 0..2 {
            let width = views.tables()[view].n_features();
            let missing = |j: usize| raw[view].iter().skip(j).step_by(width).filter(|v| v.is_nan()).count();
            for j in 0..width {
                let n = missing(j);
                if n as f64 > MOSTLY * common.len() as f64 {
                    drop(&mut dropped, views, [view, j], format!("missing in {n} of {} common samples", common.len()));
                } else {
                    features[view].push(j);
                }
            }
        }
        let complete = |i: &usize| {
            (0..2).all(|v| {
                let width = views.tables()[v].n_features();
                features[v].iter().all(|j| raw[v][i * width + j].is_finite())
            })
        };
        let rows: Vec<usize> = (0..common.len()).filter(complete).collect();
        for view in 0..2 {
            let width = views.tables()[view].n_features();
            let (keep, constant): (Vec<usize>, Vec<usize>) =
                features[view].iter().partition(|j| varies(rows.iter().map(|i| raw[view][i * width + **j])));
            constant.iter().for_each(|j| drop(&mut dropped, views, [view, *j], "constant".into()));
            features[view] = keep;
        }
        let names = [0, 1].map(|v| views.tables()[v].name());
        if rows.len() < 3 {
            return Err(Error::degenerate(format!(
                "{} samples have all of {} and {} ({} have both views): at least 3 are needed",
                rows.len(),
                names[0],
                names[1],
                common.len()
            )));
        }
        if let Some(empty) = (0..2).find(|v| features[*v].is_empty()) {
            return Err(Error::degenerate(format!("no feature of {} varies over the {} samples", names[empty], rows.len())));
        }
        let values = [0, 1].map(|v| {
            let width = views.tables()[v].n_features();
            rows.iter().flat_map(|i| features[v].iter().map(move |j| (i, j))).map(|(i, j)| raw[v][i * width + j]).collect()
        });
        let samples = rows.iter().map(|&i| common[i]).collect();
        Ok(Self { samples, features, values, dropped, n_incomplete: common.len() - rows.len() })
    }

    /// Number of samples.
    #[must_use]
    pub fn n(&self) -> usize {
        self.samples.len()
    }

    /// Values of a view less the mean (and over the standard deviation where `scale`) of the `train` rows:
    /// means, deviations, and all rows.
    pub(super) fn centered(&self, view: usize, train: &[usize], scale: bool) -> [Vec<f64>; 3] {
        let p = self.features[view].len();
        let values = &self.values[view];
        let n = train.len() as f64;
        let mut mean = vec![0.0; p];
        train.iter().for_each(|&i| mean.iter_mut().zip(&values[i * p..]).for_each(|(m, v)| *m += v / n));
        let mut sd = vec![1.0; p];
        if scale {
            let mut square = vec![0.0; p];
            for &i in train {
                square.iter_mut().zip(values[i * p..].iter().zip(&mean)).for_each(|(s, (v, m))| *s += (v - m) * (v - m));
            }
            for ((sd, square), mean) in sd.iter_mut().zip(square).zip(&mean) {
                let value = (square / (n - 1.0).max(1.0)).sqrt();
                *sd = if value > 1e-12 * mean.abs() && value > 0.0 { value } else { 1.0 };
            }
        }
        let all =
            values.chunks_exact(p).flat_map(|row| row.iter().zip(mean.iter().zip(&sd)).map(|(v, (m, s))| (v - m) / s)).collect();
        [mean, sd, all]
    }
}

fn drop(dropped: &mut Vec<Dropped>, views: &Views, [view, feature]: [usize; 2], reason: String) {
    let table = &views.tables()[view];
    dropped.push(Dropped { view: table.name().to_owned(), feature: table.features()[feature].clone(), reason });
}

fn varies(values: impl Iterator<Item = f64> + Clone) -> bool {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    values.map(|v| (v - mean).abs()).fold(0.0, f64::max) > 1e-12 * mean.abs()
}
