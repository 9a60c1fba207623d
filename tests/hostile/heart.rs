//! Sound files of the heart, to be damaged.

use super::*;

pub fn contour_seeds() -> Vec<Vec<u8>> {
    let workspace = "<?xml version=\"1.0\"?><R><Hash:item Hash:key=\"ImageStates\"><Hash:item Hash:key=\"1.2\"><Hash:item Hash:key=\"Contours\">\
        <Hash:item Hash:key=\"saendocardialContour\"><Hash:item Hash:key=\"Points\"><P><Point:x>1</Point:x><Point:y>2</Point:y></P></Hash:item>\
        <Hash:item Hash:key=\"SubpixelResolution\">4</Hash:item></Hash:item></Hash:item></Hash:item></Hash:item></R>";
    vec![
        b"phase,view,slice,border,point,x_mm,y_mm,z_mm\n0,sax,1,endo,0,1,2,3\n0,sax,1,endo,1,2,2,3\n".to_vec(),
        workspace.into(),
        b"x\ty\tz\tcontour type\tframeID\tweight\ttime frame\n1 2 3 SAX_RV_SEPTUM 2 1.0 0\n1 3 3 SAX_RV_SEPTUM 2 1.0 0\n"
            .to_vec(),
        b"1.5 2\n2.5 2\n2.5 4\n".to_vec(),
    ]
}

pub fn mesh_seeds(name: &str) -> Vec<Vec<u8>> {
    let vertices = vec![DVec3::ZERO, DVec3::X * 2.0, DVec3::Y * 3.0, DVec3::Z * 4.0];
    let mesh = Surface::new("t", vertices, vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]).unwrap();
    let mut seeds = vec![written(name, |p| write_mesh(p, &mesh).unwrap())];
    if name.ends_with("stl") {
        seeds.push(
            b"solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid x\n"
                .to_vec(),
        );
    }
    if name.ends_with("ply") {
        let mut binary =
            b"ply\nformat binary_big_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n\
            element face 1\nproperty list uchar int vertex_index\nend_header\n"
                .to_vec();
        [0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0].iter().for_each(|v| binary.extend(v.to_be_bytes()));
        binary.push(3);
        [0_i32, 1, 2].iter().for_each(|v| binary.extend(v.to_be_bytes()));
        seeds.push(binary);
    }
    seeds
}

/// A zip with an image, a path that leads out, and a zip; the same as tar in gzip.
pub fn archive_seeds() -> Vec<Vec<u8>> {
    let image = nifti_seeds().swap_remove(0);
    let zip_of = |entries: &[(&str, &[u8])]| {
        let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, data) in entries {
            out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut out, data).unwrap();
        }
        out.finish().unwrap().into_inner()
    };
    let inner = zip_of(&[("v.nii", &image)]);
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(image.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "a/v.nii", &image[..]).unwrap();
    let mut gz = Vec::new();
    bytes::write_gzip(&tar.into_inner().unwrap(), &mut gz).unwrap();
    vec![zip_of(&[("v.nii", &image), ("../out.nii", &image), ("inner.zip", &inner)]), gz]
}

pub fn segmentation_seeds() -> Vec<Vec<u8>> {
    let labels = LabelMap::new("l", grid(), vec![(0..24).map(|i| i % 4).collect::<Vec<u8>>().into()]).unwrap();
    vec![written("a.dcm", |p| write_dicom_segmentation(p, &labels).unwrap())]
}

/// A waveform of two channels, element by element, explicit little endian.
pub fn waveform_seeds() -> Vec<Vec<u8>> {
    let element = |group: u16, number: u16, vr: &[u8; 2], value: &[u8]| {
        let mut out = [group.to_le_bytes(), number.to_le_bytes()].concat();
        out.extend(vr);
        if matches!(vr, b"OW" | b"SQ") {
            out.extend([0, 0]);
            out.extend((value.len() as u32).to_le_bytes());
        } else {
            out.extend((value.len() as u16).to_le_bytes());
        }
        out.extend(value);
        out
    };
    let samples: Vec<u8> = (0..80_i16).flat_map(|i| (i * 7 % 50).to_le_bytes()).collect();
    let group = [
        element(0x003A, 0x0005, b"US", &2_u16.to_le_bytes()),
        element(0x003A, 0x0010, b"UL", &40_u32.to_le_bytes()),
        element(0x003A, 0x001A, b"DS", b"500 "),
        element(0x5400, 0x1004, b"US", &16_u16.to_le_bytes()),
        element(0x5400, 0x1006, b"CS", b"SS"),
        element(0x5400, 0x1010, b"OW", &samples),
    ]
    .concat();
    let mut item = vec![0xFE, 0xFF, 0x00, 0xE0];
    item.extend((group.len() as u32).to_le_bytes());
    item.extend(group);
    let mut file = element(0x0008, 0x0060, b"CS", b"ECG ");
    file.extend(element(0x5400, 0x0100, b"SQ", &item));
    assert!(reading(|r| parse_dicom_bytes(&file, r)).is_ok());
    vec![file]
}

pub fn grid() -> Grid {
    let mut place = DAffine3::from_scale(DVec3::new(1.5, 1.5, 8.0));
    place.translation = DVec3::X;
    Grid::new([4, 3, 2], place).unwrap()
}

pub fn written(name: &str, write: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write(&path);
    std::fs::read(path).unwrap()
}

pub fn cine() -> Volume {
    let phases = (0..3).map(|p| Samples::I16((0..24).map(|i| i * 31 + p).collect())).collect();
    let mut cine = Volume::new("c", grid(), phases).unwrap();
    cine.phase_times_ms = vec![0.0, 30.0, 60.0];
    cine
}

pub fn nifti_seeds() -> Vec<Vec<u8>> {
    let labels = LabelMap::new("l", grid(), vec![(0..24u8).map(|i| i % 4).collect()]).unwrap();
    let plain = written("a.nii", |p| write_nifti_volume(p, &cine()).unwrap());
    let mut swapped = plain.clone();
    swapped[..4].reverse();
    swapped[40..42].reverse();
    vec![
        written("a.nii.gz", |p| write_nifti_volume(p, &cine()).unwrap()),
        written("l.nii", |p| write_nifti_labels(p, &labels).unwrap()),
        nifti_2(false),
        nifti_2(true),
        swapped,
        plain,
    ]
}

/// A NIfTI-2 image of 3×2×2 `f32`.
pub fn nifti_2(big: bool) -> Vec<u8> {
    let mut h = vec![0u8; 544 + 48];
    let mut put = |at: usize, le: &[u8]| {
        let le: Vec<u8> = if big { le.iter().rev().copied().collect() } else { le.to_vec() };
        h[at..at + le.len()].copy_from_slice(&le);
    };
    put(0, &540i32.to_le_bytes());
    put(12, &16i16.to_le_bytes());
    [3i64, 3, 2, 2, 1, 1, 1, 1].iter().enumerate().for_each(|(i, d)| put(16 + 8 * i, &d.to_le_bytes()));
    [1.0f64, 1.5, 1.5, 8.0].iter().enumerate().for_each(|(i, p)| put(104 + 8 * i, &p.to_le_bytes()));
    put(168, &544i64.to_le_bytes());
    put(344, &1i32.to_le_bytes());
    put(500, &10i32.to_le_bytes());
    h[4..12].copy_from_slice(b"n+2\0\r\n\x1a\n");
    h
}

pub fn network_seeds() -> Vec<Vec<u8>> {
    let text = "name = \"a\"\nmodel = \"a.onnx\"\nsha256 = \"00\"\n[input]\nlayout = \"NCDHW\"\nsize = [8, 8, 4]\nspacing_mm = [1.5, 1.5, 8]\n\
                [normalize]\nmethod = \"percentile\"\nlow = 1\nhigh = 99\n[output]\nthreshold = 0.5\n[[class]]\nindex = 1\nlabel = 3\nname = \"LV\"\n";
    vec![text.as_bytes().to_vec()]
}

pub fn dicom_seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let facts = SeriesFacts { description: "cine".into(), series_number: 1, seed: 0, rr_ms: Some(900.0) };
    write_dicom_cine(folder.path(), &cine(), &facts).unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files.iter().map(|f| std::fs::read(f).unwrap()).collect()
}

pub fn picture_seeds() -> Vec<Vec<u8>> {
    vec![encode_png(7, 5, &[100; 140]).unwrap()]
}

pub fn lattice_seeds() -> Vec<Vec<u8>> {
    let nrrd = "NRRD0005\ntype: short\ndimension: 4\nspace: right-anterior-superior\nsizes: 2 3 2 2\nkinds: domain domain domain list\n\
        space directions: (1.5,0,0) (0,2,0) (0,0,8) none\nspace origin: (10,20,30)\nendian: little\nMultiVolume.FrameLabels:=0,40\n\
        Segment0_LabelValue:=1\nSegment0_Name:=wall\nSegment0_Color:=1 0 0\n";
    let meta = "ObjectType = Image\nNDims = 3\nTransformMatrix = 0 1 0 -1 0 0 0 0 1\nOffset = 5 6 7\nElementSpacing = 2 3 4\n\
        DimSize = 2 3 2\nElementType = MET_USHORT\nCompressedData = False\nElementDataFile = LOCAL\n";
    let list = "NDims = 2\nDimSize = 2 2\nElementSpacing = 1 1\nElementType = MET_UCHAR\nElementDataFile = a%02d.raw 1 2 1\n";
    let mut packed = Vec::new();
    bytes::write_gzip(&[1; 48], &mut packed).unwrap();
    let joined = |head: &str, rest: &[u8]| [head.as_bytes(), rest].concat();
    vec![
        joined(&format!("{nrrd}encoding: raw\nbyte skip: -1\n\n"), &[1; 48]),
        joined(&format!("{nrrd}encoding: gzip\n\n"), &packed),
        joined(&format!("{nrrd}encoding: ascii\nline skip: 1\n\n"), b"\n1 2 3"),
        joined(meta, &[2; 24]),
        list.as_bytes().to_vec(),
    ]
}
