//! Every pass validates, and every uniform has the offsets of its twin.
use crate::render::pass::SLOT_BYTES;
use crate::render::pass::fill::FillUniform;
use crate::render::pass::labels::LabelsUniform;
use crate::render::pass::picture::PictureUniform;
use crate::render::pass::slice::SliceUniform;
use crate::render::pass::spots::SpotsUniform;
use crate::render::shader::Pass;
use std::mem::offset_of;

fn parse(pass: Pass) -> naga::Module {
    naga::front::wgsl::parse_str(pass.source()).unwrap_or_else(|e| panic!("{pass:?}: {}", e.emit_to_string(pass.source())))
}

#[test]
fn every_pass_validates() {
    for pass in Pass::ALL {
        let module = parse(pass);
        let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        validator.validate(&module).unwrap_or_else(|e| panic!("{pass:?}: {}", e.emit_to_string(pass.source())));
    }
}

fn wgsl_struct(pass: Pass, name: &str) -> (Vec<(String, u32)>, u32) {
    let module = parse(pass);
    let found = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(name));
    let Some((_, naga::Type { inner: naga::TypeInner::Struct { members, span }, .. })) = found else {
        panic!("{pass:?} has no struct {name}");
    };
    (members.iter().map(|m| (m.name.clone().unwrap_or_default(), m.offset)).collect(), *span)
}

macro_rules! twin {
    ($pass:expr, $type:ident, $($($field:ident).+),+) => {
        let (members, span) = wgsl_struct($pass, stringify!($type));
        let last = |path: &str| path.rsplit('.').next().unwrap_or_default().trim().to_owned();
        let ours = [$((last(stringify!($($field).+)), offset_of!($type, $($field).+) as u32)),+];
        assert_eq!(members, ours, "{}", stringify!($type));
        assert_eq!(span as usize, size_of::<$type>());
        assert!(size_of::<$type>() as u64 <= SLOT_BYTES);
    };
}

#[test]
fn uniforms_have_the_offsets_of_their_twins() {
    twin!(Pass::Fill, FillUniform, rgba);
    twin!(
        Pass::SliceUint,
        SliceUniform,
        cut.origin,
        cut.right,
        cut.down,
        cut.size,
        cut.rectangle,
        cut.size_px,
        gain,
        bias,
        opacity,
        table
    );
    twin!(
        Pass::Labels,
        LabelsUniform,
        cut.origin,
        cut.right,
        cut.down,
        cut.size,
        cut.rectangle,
        cut.size_px,
        fill,
        outline_px,
        only
    );
    twin!(
        Pass::Picture,
        PictureUniform,
        center,
        offset,
        size_px,
        level_scale,
        level_offset,
        level_size,
        tile_origin,
        draw_from,
        draw_to,
        accent,
        glass,
        scale,
        opacity,
        mode,
        parameter
    );
    for pass in [Pass::Discs, Pass::Splat, Pass::Resolve] {
        twin!(
            pass,
            SpotsUniform,
            center,
            offset,
            size_px,
            scale,
            radius_px,
            plain,
            rectangle,
            low,
            span,
            opacity,
            table,
            mode,
            parameter,
            n_ranges
        );
    }
}
