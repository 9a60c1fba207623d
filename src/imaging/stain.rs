//! Hematoxylin and eosin taken apart by color deconvolution.
//!
//! Ruifrok & Johnston, "Quantification of histochemical staining by color deconvolution", Anal Quant Cytol
//! Histol 23:291 (2001): optical densities of the channels are a sum of stains, each with a direction of its
//! own. The third direction is perpendicular to both stains; what lies along it is neither.

/// Directions of hematoxylin and eosin in optical density of red, green, blue (the paper's table).
const HEMATOXYLIN: [f64; 3] = [0.65, 0.70, 0.29];
const EOSIN: [f64; 3] = [0.07, 0.99, 0.11];

/// Turns colors into optical densities of hematoxylin, eosin and the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Stains {
    /// Optical density of each stored value, channel by channel.
    density: [[f64; 256]; 3],
    /// Row-major: stain by channel.
    stains_from_density: [f64; 9],
}

impl Stains {
    /// For pictures whose empty glass has the color `white`. A channel of 0 counts as 1.
    #[must_use]
    pub fn new(white: [u8; 3]) -> Self {
        let density = white.map(|w| {
            let log = |v: usize| (f64::from(w.max(1)) / v.max(1) as f64).log10();
            std::array::from_fn(log)
        });
        let (h, e) = (unit(HEMATOXYLIN), unit(EOSIN));
        let rest = unit(cross(h, e));
        // Columns of the matrix are the stains; its inverse has the crossed pairs over the determinant.
        let det = dot(h, cross(e, rest));
        let rows = [cross(e, rest), cross(rest, h), cross(h, e)];
        let stains_from_density = std::array::from_fn(|i| rows[i / 3][i % 3] / det);
        Self { density, stains_from_density }
    }

    /// Optical density (decadic) of each channel.
    #[must_use]
    pub fn density(&self, rgb: [u8; 3]) -> [f64; 3] {
        std::array::from_fn(|c| self.density[c][usize::from(rgb[c])])
    }

    /// Optical densities of hematoxylin, eosin and the rest from those of the channels.
    #[must_use]
    pub fn separate(&self, density: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|s| (0..3).map(|c| self.stains_from_density[s * 3 + c] * density[c]).sum())
    }
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| a[i] * b[i]).sum()
}

fn unit(v: [f64; 3]) -> [f64; 3] {
    let length = dot(v, v).sqrt();
    v.map(|x| x / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_comes_apart() {
        let stains = Stains::new([255; 3]);
        let (h, e) = (unit(HEMATOXYLIN), unit(EOSIN));
        let mixed = std::array::from_fn(|c| 0.8 * h[c] + 0.3 * e[c]);
        for (got, want) in stains.separate(mixed).into_iter().zip([0.8, 0.3, 0.0]) {
            assert!((got - want).abs() < 1e-12);
        }
        assert_eq!(stains.density([255, 255, 255]), [0.0; 3]);
        assert!((stains.density([26, 0, 255])[0] - (255f64 / 26.0).log10()).abs() < 1e-15);
        assert_eq!(Stains::new([200, 210, 220]).separate(Stains::new([200, 210, 220]).density([200, 210, 220])), [0.0; 3]);
    }
}
