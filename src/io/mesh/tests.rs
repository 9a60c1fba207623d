//! Each form read, written and read again; damage is named.

use super::*;
use crate::base::{Limits, Progress, Warnings};
use std::path::PathBuf;

fn read_mesh(data: &[u8], kind: MeshKind) -> Result<Surface> {
    let mut warnings = Warnings::default();
    parse_mesh(data, kind, "m", &mut Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings })
}

fn cube() -> Surface {
    let vertices =
        (0..8).map(|c| DVec3::new(f64::from(c & 1), f64::from(c >> 1 & 1), f64::from(c >> 2)) * 3.1 + DVec3::X).collect();
    let quads = [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];
    let triangles = quads.iter().flat_map(|q| [[q[0], q[1], q[2]], [q[0], q[2], q[3]]]).collect();
    Surface::new("m", vertices, triangles).unwrap()
}

#[test]
fn every_form_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let exact = 3.1_f64.powi(3);
    for (name, kind, tolerance) in
        [("a.obj", MeshKind::Obj, 1e-12), ("a.ply", MeshKind::Ply, 1e-12), ("a.stl", MeshKind::Stl, 1e-5)]
    {
        let path = folder.path().join(name);
        write_mesh(&path, &cube()).unwrap();
        let back = read_mesh(&std::fs::read(&path).unwrap(), kind).unwrap();
        assert!((back.volume_mm3().abs() - exact).abs() < tolerance * exact, "{name}");
        assert_eq!((back.vertices().len(), back.triangles().len(), back.open_edges().len()), (8, 12, 0), "{name}");
        assert!((back.vertices()[0] - cube().vertices()[0]).length() < 1e-6, "{name}");
    }
}

#[test]
fn binary_ply_of_both_orders_with_other_properties() {
    let m = cube();
    for big in [false, true] {
        let mut data = format!(
            "ply\nformat {} 1.0\ncomment SPACE=RAS\nelement vertex 8\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\n\
             element face 12\nproperty list uchar int vertex_indices\nproperty short s\nend_header\n",
            if big { "binary_big_endian" } else { "binary_little_endian" }
        )
        .into_bytes();
        for v in m.vertices() {
            for x in v.to_array() {
                data.extend(if big { (x as f32).to_be_bytes() } else { (x as f32).to_le_bytes() });
            }
            data.push(9);
        }
        for t in m.triangles() {
            data.push(3);
            for i in t {
                data.extend(if big { i.to_be_bytes() } else { i.to_le_bytes() });
            }
            data.extend([1, 2]);
        }
        let back = read_mesh(&data, MeshKind::Ply).unwrap();
        // RAS in the file: x and y change their sign.
        assert!((back.vertices()[0] - DVec3::new(-m.vertices()[0].x, -m.vertices()[0].y, m.vertices()[0].z)).length() < 1e-6);
        assert!((back.volume_mm3().abs() - 3.1_f64.powi(3)).abs() < 1e-4);
        assert!(read_mesh(&data[..data.len() - 5], MeshKind::Ply).is_err());
    }
}

#[test]
fn text_stl_polygons_and_indices_from_the_end() {
    let stl =
        "solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid x\n";
    assert_eq!(read_mesh(stl.as_bytes(), MeshKind::Stl).unwrap().area_mm2(), 0.5);
    let obj = "v 0 0 0\nv 2 0 0\nv 2 2 0\nv 0 2 0\nf -4/1/1 -3 -2//7 -1\n";
    assert_eq!(read_mesh(obj.as_bytes(), MeshKind::Obj).unwrap().area_mm2(), 4.0);
}

#[test]
fn damage_is_named() {
    for (data, kind) in [
        ("", MeshKind::Obj),
        ("v 1 2\nf 1 1 1\n", MeshKind::Obj),
        ("v 0 0 0\nf 1 2 3\n", MeshKind::Obj),
        ("v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", MeshKind::Obj),
        ("ply\nformat ascii 1.0\nelement vertex 99999999999999\nproperty float x\nend_header\n", MeshKind::Ply),
        ("ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n", MeshKind::Ply),
        ("ply\nelement vertex 1\n", MeshKind::Ply),
        ("solid a\nfacet\nvertex 1 2 3\nendfacet\n", MeshKind::Stl),
        ("solid a\nendsolid\n", MeshKind::Stl),
        ("short", MeshKind::Stl),
    ] {
        assert!(read_mesh(data.as_bytes(), kind).is_err(), "{data:?}");
    }
    let mut short = stl::written(&cube());
    short.truncate(300);
    assert!(read_mesh(&short, MeshKind::Stl).unwrap_err().to_string().contains("of 12 triangles"));
}

#[test]
fn a_fitted_ventricle_is_open_at_its_valves() {
    let path = std::env::var("MYOSCOPE_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join("data/bivme-cine/patient1_LV_ENDOCARDIAL_000.obj");
    let Ok(data) = std::fs::read(&path) else {
        eprintln!("absent: {}", path.display());
        return;
    };
    let mesh = read_mesh(&data, MeshKind::Obj).unwrap();
    assert!(!mesh.open_edges().is_empty() && mesh.vertices().len() <= 1572);
}
