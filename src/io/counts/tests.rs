//! Tables in every shape that people have them.

use super::*;
use crate::io::TableColumn;
use crate::io::hdf5_open::trial::{codes, run, shared};

fn parse(text: &str) -> (Result<Section>, Vec<&'static str>) {
    let (section, warnings) = run(|r| parse_counts(text.into(), "t", r));
    let said = codes(&warnings);
    (section, said)
}

fn numbers(section: &Section) -> Vec<Vec<f32>> {
    let e = section.expression.as_ref().unwrap();
    (0..e.genes().len()).map(|g| e.dense(g)).collect()
}

#[test]
fn cells_in_lines_or_in_columns() {
    let (plain, said) = parse("id,TTN,MYH7,X\nAAACAAGTATCTCCCA-1,1,0,2\nAAACAAGTATCTCCCC-1,0,3,4\n");
    let plain = plain.unwrap();
    assert_eq!((numbers(&plain), said), (vec![vec![1.0, 0.0], vec![0.0, 3.0], vec![2.0, 4.0]], vec![]));
    let (turned, said) = parse("\tc1\tc2\r\nTTN\t1\t0\r\nMYH7\t0\t3\r\n\"X,1\"\t2\t4\r\n\r\n");
    let turned = turned.unwrap();
    assert_eq!((numbers(&turned), said), (numbers(&plain), vec!["table-turned"]));
    assert_eq!(turned.expression.as_ref().unwrap().genes()[2], "X,1");
    // R leaves out the header of the names.
    let (unknown, said) = parse("a,b\nu,1,0.5\nv,,2\n");
    let unknown = unknown.unwrap();
    let e = unknown.expression.as_ref().unwrap();
    assert_eq!((said, e.unit.as_str(), e.genes().len()), (vec!["table-orientation"], "values", 2));
    assert!(numbers(&unknown)[0][1].is_nan());
    assert!(unknown.spots.is_none());
}

#[test]
fn spots_called_by_their_place() {
    let (one, said) = parse("\tTTN\tACTB\n15x16\t1\t0\n15x17.5\t0\t3\n");
    let one = one.unwrap();
    let spots = one.spots.as_ref().unwrap();
    assert_eq!((said, spots.px[1]), (vec!["array-by-name"], DVec2::new(3000.0, 3500.0)));
    assert!(one.has_unit() && split(&one).unwrap().len() == 1);
    let (two, _) = parse("\tA_1x2\tA_3x4\tB_1x2\nG1\t1\t0\t5\nG2\t0\t3\t6\n");
    let parts = split(&two.unwrap()).unwrap();
    assert_eq!(parts.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(numbers(&parts[1]), [[5.0], [6.0]]);
}

#[test]
fn parquet_and_gzip() {
    let columns = vec![
        TableColumn::text("id", [Some("c1"), Some("c2")]),
        TableColumn::numbers("TTN", [Some(1.0), None]),
        TableColumn::whole("ACTB", [Some(0), Some(3)]),
    ];
    let bytes = Table::new(columns).unwrap().to_bytes(TableKind::Parquet).unwrap();
    let section = run(|r| parse_counts(bytes, "t", r)).0.unwrap();
    assert_eq!(numbers(&section)[1], [0.0, 3.0]);
    assert!(numbers(&section)[0][1].is_nan());
    let mut gz = Vec::new();
    crate::io::bytes::write_gzip(b"id,TTN,ACTB\nc,1,2\n", &mut gz).unwrap();
    assert!(run(|r| parse_counts(gz, "t", r)).0.is_ok());
}

#[test]
fn bad_tables_get_a_sentence() {
    for (text, part) in [
        ("", "empty"),
        ("id,a\n", "no numbers"),
        ("id\nx\n", "no numbers"),
        ("id,a,b\nx,1\n", "row 1 has 2 fields"),
        ("id,a,b\nx,1,2\ny,1,2,3\n", "row 2 has 4 fields"),
        ("id,a,b\nx,1,zwei\n", "column b of x is “zwei”"),
    ] {
        let error = parse(text).0.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(run(|r| parse_counts(b"id,\xff\nx,1\n".to_vec(), "t", r)).0.is_err());
}

#[test]
fn counts_are_recognized_and_other_tables_are_not() {
    for text in [
        "id,A,B,C\nx,1,0,2\ny,1,1,1\n",
        "\tTTN\tACTB\tMB\n1x2\t0.5\t1\t2\n",
        "id,ENSG000001234,ENSG000001235,ENSG000001236\nx,0.1,0.2,0.3\n",
    ] {
        assert!(is_counts(text.as_bytes()), "{text}");
    }
    for text in [
        "",
        "id,A,B,C\n",
        "name,moving_x,moving_y,fixed_x,fixed_y\na,1,2,3,4\n",
        "id,lv,rv,mass\np1,1.5,2,3\n",
        "id,A,B,C\nx,1,0,word\n",
        "1,2,3,4\n5,6,7,8\n",
        "id,A\nx,1\n",
    ] {
        assert!(!is_counts(text.as_bytes()), "{text}");
    }
}

#[test]
fn real_tables_are_read_whichever_way_they_lie() {
    for (name, n, m) in
        [("tomoseq-zebrafish-heart/zh_counts.csv.gz", 40, 16495), ("mi-heart-pseudobulk/counts.csv.gz", 66, 29126)]
    {
        let Some(path) = shared(name) else { return };
        let (section, warnings) = run(|r| read_counts(&path, r));
        let e = section.unwrap().expression.unwrap();
        assert_eq!((e.observations().len(), e.genes().len()), (n, m), "{name}");
        assert_eq!(codes(&warnings), ["table-turned"], "{name}");
    }
}
