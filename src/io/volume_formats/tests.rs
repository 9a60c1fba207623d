//! Small files of both formats, in their variants.

use super::*;
use crate::base::{Progress, Warnings};
use crate::model::Samples;
use crate::space::DVec3;

fn read(data: &[u8], name: &str) -> Result<Content> {
    let mut warnings = Warnings::default();
    parse_lattice(data, name, &mut Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings })
}

fn joined(head: &str, voxels: &[u8]) -> Vec<u8> {
    [head.as_bytes(), voxels].concat()
}

#[test]
fn nrrd_in_ras_lies_where_it_says() {
    let head = "NRRD0005\n# made by hand\ntype: short\ndimension: 3\nspace: right-anterior-superior\nsizes: 2 1 2\n\
        space directions: (1.5,0,0) (0,2,0) (0,0,8)\nspace origin: (10,20,30)\nencoding: raw\nendian: big\n\n";
    let Content::Volume(v) = read(&joined(head, &[0, 1, 1, 0, 0xFF, 0xFF, 0, 9]), "a.nrrd").unwrap() else { panic!("a volume") };
    assert_eq!(v.phases, [Samples::I16([1, 256, -1, 9].into())]);
    let at = |x, y, z| v.grid.lps_from_voxel().transform_point3(DVec3::new(x, y, z));
    assert_eq!((at(0.0, 0.0, 0.0), at(1.0, 0.0, 1.0)), (DVec3::new(-10.0, -20.0, 30.0), DVec3::new(-11.5, -20.0, 38.0)));
    assert!(v.length_unit_known);
}

#[test]
fn nrrd_of_segments_has_their_names_and_colors() {
    let head = "NRRD0004\ntype: unsigned char\ndimension: 3\nspace: left-posterior-superior\nsizes: 3 1 1\n\
        space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nencoding: ascii\n\
        Segment0_LabelValue:=7\nSegment0_Name:=scar\nSegment0_Color:=1 0.5 0\n\n";
    let Content::Labels(l) = read(&joined(head, b"0 7\n7"), "a.seg.nrrd").unwrap() else { panic!("labels") };
    assert_eq!((&*l.phases[0], l.table[0].name.as_str(), l.table[0].rgb), (&[0, 7, 7][..], "scar", [255, 128, 0]));
}

#[test]
fn a_list_axis_in_front_becomes_phases() {
    let head = "NRRD0004\ntype: uint8\ndimension: 4\nspace: left-posterior-superior\nsizes: 2 3 1 1\nkinds: list domain domain domain\n\
        space directions: none (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nencoding: raw\nbyte skip: -1\n\n";
    let voxels = [1, 101, 2, 102, 3, 103].map(|v: u8| v);
    let Content::Volume(v) = read(&joined(head, &voxels), "a.nrrd").unwrap() else { panic!("a cine") };
    assert_eq!(v.phases, [Samples::U8([1, 2, 3].into()), Samples::U8([101, 102, 103].into())]);
}

#[test]
fn metaimage_axes_stand_one_after_the_other() {
    let head = "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nTransformMatrix = 0 1 0 -1 0 0 0 0 1\n\
        Offset = 5 6 7\nElementSpacing = 2 3 4\nDimSize = 2 1 1\nElementType = MET_USHORT\nElementDataFile = LOCAL\n";
    let Content::Volume(v) = read(&joined(head, &[1, 0, 2, 1]), "a.mha").unwrap() else { panic!("a volume") };
    assert_eq!(v.phases, [Samples::U16([1, 258].into())]);
    assert_eq!(v.grid.lps_from_voxel().transform_point3(DVec3::X), DVec3::new(5.0, 8.0, 7.0));
}

#[test]
fn voxels_beside_the_header_are_found_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let head = |file: &str| {
        format!("NDims = 3\nDimSize = 2 1 2\nElementSpacing = 1 1 1\nElementType = MET_UCHAR\nElementDataFile = {file}\n")
    };
    std::fs::write(folder.path().join("a1.raw"), [9, 8]).unwrap();
    std::fs::write(folder.path().join("a2.raw"), [70, 60]).unwrap();
    let read_with = |file: &str| {
        std::fs::write(folder.path().join("a.mhd"), head(file)).unwrap();
        let mut warnings = Warnings::default();
        let progress = Progress::none();
        let mut reading = Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings };
        read_lattice(&folder.path().join("a.mhd"), &mut reading)
    };
    for file in ["a%d.raw 1 2 1", "LIST\na1.raw\na2.raw"] {
        let found = read_with(file).unwrap();
        let Content::Volume(v) = found.content else { panic!("a volume") };
        assert_eq!((v.phases, found.n_files), (vec![Samples::U8([9, 8, 70, 60].into())], 3));
    }
    for file in ["../a1.raw", "/etc/hostname", "absent.raw", ""] {
        assert!(read_with(file).is_err(), "{file}");
    }
}

#[test]
fn damaged_headers_get_a_sentence() {
    for (head, part) in [
        ("NRRD0004\ntype: uint8\nsizes: 2 2 2\nencoding: raw\n\n", "cut off"),
        ("NRRD0004\ntype: uint8\nsizes: 0 2 2\nencoding: raw\n\n", "sizes"),
        ("NRRD0004\ntype: block\nsizes: 2 2 2\nencoding: raw\n\n", "type"),
        ("NRRD0004\ntype: uint8\nsizes: 2 2 2\nencoding: bzip2\n\n", "bzip2"),
        ("NRRD0004\ntype: uint8\nsizes: 900000000 900000000 9\nencoding: gzip\n\n", ""),
        (
            "NDims = 3\nDimSize = 2 2 2\nElementSpacing = 1 0 1\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
            "span no volume",
        ),
        ("NDims = 3\nDimSize = 2 2 2\nElementSpacing = 1 1 1\nElementType = MET_BLOB\nElementDataFile = LOCAL\n", "MET_BLOB"),
    ] {
        let error = read(head.as_bytes(), "a.nrrd").expect_err(head).to_string();
        assert!(error.contains(part), "{head}: {error}");
    }
}
