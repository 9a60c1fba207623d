//! Each form read and written; real files where they are there.

use super::*;
use crate::base::{Limits, Progress, Warnings};
use crate::model::{Border, LabelMap};
use crate::space::{DAffine3, DVec3, Grid};

fn reading<T>(run: impl FnOnce(&mut Reading) -> T) -> T {
    let mut warnings = Warnings::default();
    run(&mut Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings })
}

fn area(points: &[DVec3]) -> f64 {
    points.iter().zip(points.iter().cycle().skip(1)).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f64>().abs() / 2.0
}

#[test]
fn names_of_sunnybrook_files() {
    let name = |n: &str| sunnybrook_name(Path::new(n));
    assert_eq!(name("a/IM-0001-0059-icontour-manual.txt"), Some((59, Border::Endo)));
    assert_eq!(name("IM-0003-0200-ocontour-auto.txt"), Some((200, Border::Epi)));
    assert_eq!(name("IM-0003-0200-p2contour-manual.txt"), Some((200, Border::Papillary)));
    for other in ["IM-0001-0059.dcm", "IM-0001-x-icontour-manual.txt", "IM-0001-0059-xcontour-manual.txt", "notes.txt", ""] {
        assert_eq!(name(other), None, "{other}");
    }
}

#[test]
fn sunnybrook_text_is_read_and_damage_is_named() {
    let path = Path::new("IM-0001-0007-icontour-manual.txt");
    let contours = parse_sunnybrook(b"1.50 2.00\r\n3.50 2.00\n3.5\t4\n\n1.50 2.00\n", path).unwrap();
    let line = &contours.lines[0];
    assert_eq!((line.points.len(), line.slice, line.closed), (3, 7, true));
    for bad in ["", "1 2\n3 4\n", "1 2\n3 x\n5 6\n", "1 2 3\n", "1 NaN\n1 2\n3 4\n"] {
        assert!(parse_sunnybrook(bad.as_bytes(), path).is_err(), "{bad:?}");
    }
}

#[test]
fn a_workspace_is_read_by_uid_and_factor() {
    let point = |x: f64, y: f64| format!("<List:item><Point:x>{x}</Point:x><Point:y>{y}</Point:y></List:item>");
    let contour = |name: &str, factor: u32| {
        let points = [point(40.0, 40.0), point(80.0, 40.0), point(80.0, 120.0), point(40.0, 120.0)].concat();
        format!(
            "<Hash:item Hash:key=\"{name}\"><Hash:item Hash:key=\"Points\" List:count=\"4\">{points}</Hash:item>\
             <Hash:item Hash:key=\"SubpixelResolution\">{factor}</Hash:item></Hash:item>"
        )
    };
    let xml = format!(
        "<?xml version=\"1.0\"?><!-- c --><Root><Hash:item Hash:key=\"PatientName\">DOE</Hash:item><Hash:item Hash:key='ImageStates'>\
         <Hash:item Hash:key=\"1.2.3\"><Hash:item Hash:key=\"Contours\">{}{}{}</Hash:item></Hash:item>\
         <Hash:item Hash:key=\"1.2.4\"/></Hash:item></Root>",
        contour("saendocardialContour", 4),
        contour("laxLaExtent", 1),
        contour("sarvendocardialContour", 2)
    );
    let contours = reading(|r| parse_cvi42(xml.as_bytes(), r)).unwrap();
    let areas: Vec<(String, f64, bool)> = contours.lines.iter().map(|l| (l.border.name(), area(&l.points), l.closed)).collect();
    assert_eq!(areas, [("endo".into(), 200.0, true), ("laxLaExtent".into(), 3200.0, false), ("rv-endo".into(), 800.0, true)]);
    assert!(contours.lines.iter().all(|l| l.image == Some(crate::model::ImageName::Uid("1.2.3".into()))));
    for cut in [xml.len() / 3, xml.len() / 2, xml.len() - 4] {
        assert!(reading(|r| parse_cvi42(&xml.as_bytes()[..cut], r)).is_err());
    }
    let zero = xml.replace(">4<", ">0<");
    assert!(reading(|r| parse_cvi42(zero.as_bytes(), r)).is_err());
}

#[test]
fn tables_come_back() {
    let csv = "phase,view,slice,border,point,x_mm,y_mm,z_mm\n0,sax,3,endo,1,1,2,3\n0,sax,3,endo,0,0,2,3\n0,sax,3,endo,2,1,5,3\n1,4ch,0,epi,0,1,1,1\n";
    let mut contours = reading(|r| parse_points(csv.as_bytes().to_vec(), TableKind::Csv, r)).unwrap();
    assert_eq!((contours.lines.len(), contours.n_phases(), contours.space), (2, 2, ContourSpace::Patient));
    let sax = contours.lines.iter().find(|l| l.view == "sax").unwrap();
    assert_eq!((sax.points[0], sax.closed), (DVec3::new(0.0, 2.0, 3.0), true));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    contours.lines.push(contours.lines[1].clone());
    write_points(&path, &contours).unwrap();
    let back = reading(|r| parse_points(std::fs::read(&path).unwrap(), TableKind::Csv, r)).unwrap();
    assert_eq!(back.lines.len(), 3);
    assert!(back.lines.iter().all(|l| contours.lines.contains(l)));
    let echo = reading(|r| parse_points(b"phase,point,x_mm,y_mm\n0,0,1,2\n0,1,3,4\n".to_vec(), TableKind::Csv, r)).unwrap();
    assert_eq!((echo.space, echo.lines[0].closed), (ContourSpace::Picture, false));
    assert!(write_points(&path, &echo).is_err());
    for bad in [
        "phase,point,x_mm,y_mm\n",
        "phase,point,x_mm,y_mm\n-1,0,1,2\n",
        "phase,point,x_mm,y_mm\n0,0,,2\n",
        "phase,point,x_mm,y_mm\n0,0,1,2\n0,0,1,2\n",
    ] {
        assert!(reading(|r| parse_points(bad.as_bytes().to_vec(), TableKind::Csv, r)).is_err(), "{bad}");
    }
}

#[test]
fn labels_as_sunnybrook_text_come_back() {
    let grid = Grid::new([20, 16, 2], DAffine3::from_scale(DVec3::new(1.4, 1.4, 8.0))).unwrap();
    let labels = LabelMap::new("l", grid, vec![vec![0; grid.n_voxels()].into(); 3]).unwrap();
    let square = [[2.5, 3.5], [8.5, 3.5], [8.5, 7.5], [2.5, 7.5]].map(|p| DVec3::new(p[0] * 1.4, p[1] * 1.4, 8.0)).to_vec();
    let line = crate::model::Contour {
        border: Border::Endo,
        view: "sax".into(),
        slice: 1,
        phase: 2,
        closed: true,
        points: square,
        image: None,
    };
    let contours = Contours { name: "c".into(), space: ContourSpace::Patient, lines: vec![line] };
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(write_sunnybrook(folder.path(), &contours, &labels).unwrap(), 1);
    let path = folder.path().join("IM-0001-0006-icontour-manual.txt");
    assert!((area(&parse_sunnybrook(&std::fs::read(&path).unwrap(), &path).unwrap().lines[0].points) - 24.0).abs() < 1e-9);
}

fn data(path: &str) -> Option<PathBuf> {
    let root =
        std::env::var("MYOSCOPE_SHARED").map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("data").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("absent: {}", path.display());
    None
}

#[test]
fn guide_points_close_around_cavities() {
    let Some(path) = data("bivme-cine/GPFile_000.txt") else { return };
    let contours = parse_guide_points(&std::fs::read(&path).unwrap(), &path).unwrap();
    let closed = |b: &Border| contours.lines.iter().filter(|l| l.closed && l.border == *b).count();
    assert_eq!([Border::Endo, Border::Epi, Border::RvEndo].map(|b| closed(&b)), [5, 5, 5]);
    assert_eq!(contours.n_phases(), 1);
}

#[test]
fn guide_points_of_half_a_line_are_named() {
    let text = b"x\ty\tz\tcontour type\tframeID\tweight\ttime frame\n1 2 3 SAX_LV_ENDOCARDIAL 2 1.0 0\n1 2 SAX\n";
    let error = parse_guide_points(text, Path::new("g.txt")).unwrap_err().to_string();
    assert!(error.contains("line 3"), "{error}");
}
