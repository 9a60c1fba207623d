//! What names tell: spots of the older arrays, barcodes of cells, genes.

/// Symbols that nearly every table of human or mouse genes has some of.
const COMMON_GENES: [&str; 24] = [
    "ACTB", "ACTC1", "B2M", "CALM1", "COL1A1", "COL3A1", "EEF1A1", "FTH1", "GAPDH", "HBB", "MALAT1", "MB", "MYH6", "MYH7",
    "MYL2", "MYL7", "NPPA", "RPL13", "RPLP0", "RPS18", "TNNT2", "TPT1", "TTN", "VIM",
];

/// Name before the place, x and y of a spot called as `15x16` or `1_CN73_E1_15.03x16.2`.
pub(super) fn spot(name: &str) -> Option<(&str, f64, f64)> {
    let start = name.rfind('_').map_or(0, |at| at + 1);
    let (x, y) = name[start..].split_once('x')?;
    let number = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        text.parse::<f64>().ok().filter(|v| plain && *v < 1e6)
    };
    Some((name[..start].trim_end_matches('_'), number(x)?, number(y)?))
}

fn is_barcode(name: &str) -> bool {
    let bases = name.bytes().take_while(|b| b"ACGT".contains(b)).count();
    bases >= 12 && name.get(bases..).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn is_gene(name: &str) -> bool {
    let ensembl = name.starts_with("ENS") && name.bytes().filter(u8::is_ascii_digit).count() >= 6;
    let upper = name.to_ascii_uppercase();
    ensembl || upper.starts_with("MT-") || COMMON_GENES.binary_search(&upper.as_str()).is_ok()
}

/// How many of the names are of spots or cells, and how many are of genes.
pub(super) fn evidence(names: &[String]) -> [usize; 2] {
    let cells = names.iter().filter(|n| spot(n).is_some() || is_barcode(n)).count();
    [cells, names.iter().filter(|n| is_gene(n)).count()]
}

/// Whether all names are of spots with a place.
pub(super) fn all_spots(names: &[String]) -> bool {
    !names.is_empty() && names.iter().all(|n| spot(n).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        assert_eq!(spot("15x16"), Some(("", 15.0, 16.0)));
        assert_eq!(spot("1_CN73_E1_15.03x6"), Some(("1_CN73_E1", 15.03, 6.0)));
        for other in ["x", "1x", "TTNx2", "-1x2", "1x2x3", "AAx16", "infx1"] {
            assert_eq!(spot(other), None, "{other}");
        }
        assert!(COMMON_GENES.is_sorted());
        let texts = |names: &[&str]| names.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(evidence(&texts(&["AAACAAGTATCTCCCA-1", "3x4", "ENSG00000198888", "mt-Nd1", "Ttn", "é"])), [2, 3]);
    }
}
