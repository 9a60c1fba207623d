//! How the study is looked at, as JSON: saved with projects and with exports. The names are on disk: they stay.

use crate::model::{AnalysisId, ElementId};
use crate::scene::{BullseyeOf, BullseyeView, Camera, CompareMode, GroupBy, PaneKind, PaneView, View};
use crate::space::{DVec2, DVec3, Plane};
use serde_json::{Value, json};

pub(super) fn view_value(view: &View) -> Value {
    let panes: Vec<Value> = view
        .panes
        .iter()
        .map(|(kind, pane)| {
            json!({
                "pane": kind.title(),
                "center_mm": pane.camera.map(|c| c.center.to_array()),
                "mm_per_px": pane.camera.map(|c| c.mm_per_px),
                "heart": pane.heart.map(|i| i.0),
                "plane_lps": pane.plane.map(|p| [p.origin(), p.right(), p.down()].map(|v| v.to_array())),
            })
        })
        .collect();
    json!({
        "heart": view.heart.map(|i| i.0),
        "section": view.section.map(|i| i.0),
        "cohort": view.cohort.map(|i| i.0),
        "panes": panes,
        "cursor_lps_mm": view.cursor.map(|c| c.to_array()),
        "cardiac_phase": view.cardiac_phase,
        "compare": CompareMode::ALL.iter().position(|m| *m == view.compare),
        "mix": view.mix,
        "neurological": view.neurological,
        "genes_on_heart": view.genes_on_heart,
        "section_cursor_mm": view.section_cursor.map(|c| c.to_array()),
        "selected_pair": view.selected_pair,
        "lit_segment": view.lit_segment,
        "selected_segment": view.selected_segment,
        "group_by": view.group_by.as_ref().map(group_value),
        "selected_group": view.selected_group,
        "pies": view.pies,
        "bullseye": bullseye_value(&view.bullseye),
        "flicker_on": view.flicker_on,
        "light_box_phases": view.light_box_phases,
    })
}

pub(super) fn view_from(value: &Value) -> View {
    let mut view = View::default();
    let id = |key: &str| value[key].as_u64().map(ElementId);
    (view.heart, view.section, view.cohort) = (id("heart"), id("section"), id("cohort"));
    view.cursor = vector(&value["cursor_lps_mm"]);
    view.cardiac_phase = value["cardiac_phase"].as_f64().filter(|p| (0.0..1.0).contains(p)).unwrap_or(0.0);
    view.mix = value["mix"].as_f64().map_or(view.mix, |m| m.clamp(0.0, 1.0));
    view.neurological = value["neurological"].as_bool().unwrap_or(false);
    view.genes_on_heart = value["genes_on_heart"].as_bool().unwrap_or(true);
    view.section_cursor = flat_vector(&value["section_cursor_mm"]);
    view.selected_pair = value["selected_pair"].as_u64().map(|i| i as usize);
    view.lit_segment = value["lit_segment"].as_u64().and_then(|s| u8::try_from(s).ok());
    view.selected_segment = value["selected_segment"].as_u64().and_then(|s| u8::try_from(s).ok());
    view.group_by = group_from(&value["group_by"]);
    view.selected_group = value["selected_group"].as_u64().and_then(|c| u32::try_from(c).ok());
    view.pies = value["pies"].as_bool().unwrap_or(false);
    view.bullseye = bullseye_from(&value["bullseye"]);
    view.flicker_on = value["flicker_on"].as_bool().unwrap_or(true);
    view.light_box_phases = value["light_box_phases"].as_bool().unwrap_or(false);
    let compare = value["compare"].as_u64().and_then(|i| CompareMode::ALL.get(i as usize));
    view.compare = compare.copied().unwrap_or_default();
    for pane in value["panes"].as_array().into_iter().flatten() {
        let Some(kind) = PaneKind::ALL.into_iter().find(|k| pane["pane"] == k.title()) else { continue };
        let camera = flat_vector(&pane["center_mm"])
            .zip(pane["mm_per_px"].as_f64())
            .map(|(center, mm_per_px)| Camera { center, mm_per_px });
        let axes = &pane["plane_lps"];
        let plane = (|| Plane::new(vector(&axes[0])?, vector(&axes[1])?, vector(&axes[2])?).ok())();
        let heart = pane["heart"].as_u64().map(ElementId);
        view.panes.insert(kind, PaneView { camera, plane, heart });
    }
    view
}

fn group_value(by: &GroupBy) -> Value {
    match by {
        GroupBy::Column(name) => json!({"by": "column", "name": name}),
        GroupBy::Regions => json!({"by": "regions"}),
        GroupBy::Segments => json!({"by": "segments"}),
    }
}

fn group_from(value: &Value) -> Option<GroupBy> {
    Some(match value["by"].as_str()? {
        "regions" => GroupBy::Regions,
        "segments" => GroupBy::Segments,
        _ => GroupBy::Column(value["name"].as_str()?.to_owned()),
    })
}

fn bullseye_value(b: &BullseyeView) -> Value {
    let of = |of: &BullseyeOf| match of {
        BullseyeOf::Shown => json!({"of": "shown"}),
        BullseyeOf::Image(id) => json!({"of": "image", "image": id.0}),
        BullseyeOf::Spots { section, name } => json!({"of": "spots", "section": section.0, "name": name}),
        BullseyeOf::Measure { analysis, metric, phase } => {
            json!({"of": "measure", "analysis": analysis.0, "metric": metric, "phase": phase})
        }
    };
    json!({
        "first": of(&b.of),
        "second": b.other.as_ref().map(of),
        "difference": b.difference,
        "territories": b.territories,
    })
}

fn bullseye_from(value: &Value) -> BullseyeView {
    let of = |v: &Value| {
        let text = |key: &str| v[key].as_str().map(str::to_owned);
        Some(match v["of"].as_str()? {
            "image" => BullseyeOf::Image(ElementId(v["image"].as_u64()?)),
            "spots" => BullseyeOf::Spots { section: ElementId(v["section"].as_u64()?), name: text("name")? },
            "measure" => BullseyeOf::Measure {
                analysis: AnalysisId(v["analysis"].as_u64()?),
                metric: text("metric")?,
                phase: text("phase")?,
            },
            _ => BullseyeOf::Shown,
        })
    };
    BullseyeView {
        of: of(&value["first"]).unwrap_or_default(),
        other: of(&value["second"]),
        difference: value["difference"].as_bool().unwrap_or(false),
        territories: value["territories"].as_bool().unwrap_or(false),
    }
}

fn flat_vector(value: &Value) -> Option<DVec2> {
    let v = value.as_array()?;
    Some(DVec2::new(v.first()?.as_f64()?, v.get(1)?.as_f64()?))
}

fn vector(value: &Value) -> Option<DVec3> {
    let v = value.as_array()?;
    Some(DVec3::new(v.first()?.as_f64()?, v.get(1)?.as_f64()?, v.get(2)?.as_f64()?))
}
