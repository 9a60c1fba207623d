//! Actions on a registration: each makes the registration that comes after, with its fit.

use super::action::{RegisterAction, Side};
use crate::base::{Error, Result};
use crate::model::{Fit, Landmark, Registration, TransformModel};
use crate::register::fit_registration;
use crate::space::{DAffine2, DVec2, Warp};

/// Names offered for new pairs, in order.
pub const USUAL_NAMES: [&str; 5] = [
    "anterior RV insertion",
    "inferior RV insertion",
    "LV center",
    "anterolateral papillary muscle",
    "posteromedial papillary muscle",
];

/// Mirror at a section x.
fn flip(x_mm: f64) -> DAffine2 {
    DAffine2::from_cols(DVec2::NEG_X, DVec2::Y, DVec2::new(2.0 * x_mm, 0.0))
}

/// Fits again; the section is turned over first where it lies face down.
pub fn refit(registration: &mut Registration) {
    let Some(x) = registration.flip_x_mm else {
        (registration.fit, registration.problem) = fit_registration(registration);
        return;
    };
    let mirror = flip(x);
    let mut turned = registration.clone();
    for pair in &mut turned.landmarks.pairs {
        pair.moving = pair.moving.map(|p| mirror.transform_point2(p));
    }
    let (fit, problem) = fit_registration(&turned);
    registration.fit = fit
        .map(|f| Fit { plane_from_section: Warp::Chain(vec![Warp::Affine(mirror), f.plane_from_section]), quality: f.quality });
    registration.problem = problem;
}

/// A registration after an action, its name for the history, and the pair to select.
#[derive(Debug)]
pub struct After {
    /// Name of the edit.
    pub name: String,
    /// The registration, fitted.
    pub registration: Registration,
    /// The pair to select.
    pub select: Option<usize>,
}

/// What an action makes of a registration. `middle_x_mm` is the middle of the section, about which it is
/// turned over.
pub fn after(action: &RegisterAction, before: &Registration, selected: Option<usize>, middle_x_mm: f64) -> Result<After> {
    let mut registration = before.clone();
    let (name, select) = change(action, &mut registration, selected, middle_x_mm)?;
    refit(&mut registration);
    Ok(After { name, registration, select })
}

fn change(
    action: &RegisterAction,
    r: &mut Registration,
    selected: Option<usize>,
    middle_x_mm: f64,
) -> Result<(String, Option<usize>)> {
    let keep = selected;
    Ok(match action {
        RegisterAction::Bind(plane) => {
            r.plane = *plane;
            ("bind section to plane".into(), keep)
        }
        RegisterAction::Place(side) => place(r, *side, selected),
        RegisterAction::Drag { pair, to } => {
            let l = pair_mut(r, *pair)?;
            set_side(l, *to);
            (format!("move pair {}", l.name), Some(*pair))
        }
        RegisterAction::SetPairs(landmarks, plane) => {
            (r.landmarks, r.plane) = (landmarks.clone(), plane.unwrap_or(r.plane));
            ("open landmark pairs".into(), None)
        }
        RegisterAction::AddPair(name) => {
            r.landmarks.pairs.push(Landmark::named(name.clone()));
            (format!("add pair {name}"), Some(r.landmarks.pairs.len() - 1))
        }
        RegisterAction::Rename(pair, name) => {
            let l = pair_mut(r, *pair)?;
            let step = format!("rename pair {} to {name}", l.name);
            l.name.clone_from(name);
            (step, keep)
        }
        RegisterAction::SetActive(pair, active) => {
            let l = pair_mut(r, *pair)?;
            l.active = *active;
            (format!("{} pair {}", if *active { "use" } else { "leave out" }, l.name), keep)
        }
        RegisterAction::ClearSide(pair, moving) => (clear_side(pair_mut(r, *pair)?, *moving), Some(*pair)),
        RegisterAction::Remove(pair) => {
            pair_mut(r, *pair)?;
            let l = r.landmarks.pairs.remove(*pair);
            (format!("delete pair {}", l.name), None)
        }
        RegisterAction::SetModel(model) => {
            r.model = *model;
            (format!("fit {}", model.name()), keep)
        }
        RegisterAction::SetStiffness(stiffness) => {
            if !stiffness.is_finite() || *stiffness < 0.0 {
                return Err(Error::parameter(format!("stiffness {stiffness} is not a number from 0 upward")));
            }
            r.stiffness = *stiffness;
            ("set stiffness".into(), keep)
        }
        RegisterAction::MendMirror => {
            r.flip_x_mm = if r.flip_x_mm.is_some() { None } else { Some(middle_x_mm) };
            ("flip section".into(), keep)
        }
        RegisterAction::MendSwap => (mend_swap(r)?, keep),
        RegisterAction::ProjectFlagged => (project_flagged(r), keep),
        RegisterAction::SetEnabled(on) => {
            r.enabled = *on;
            (if *on { "switch the link on".into() } else { "switch the link off".into() }, keep)
        }
        RegisterAction::Reset => {
            r.landmarks.pairs.clear();
            (r.model, r.stiffness, r.flip_x_mm, r.enabled) = (TransformModel::Similarity, 0.0, None, true);
            ("reset the link to the heart".into(), None)
        }
        RegisterAction::EndDrag | RegisterAction::CancelDrag => ("drag".into(), keep),
    })
}

fn pair_mut(r: &mut Registration, pair: usize) -> Result<&mut Landmark> {
    let n = r.landmarks.pairs.len();
    r.landmarks.pairs.get_mut(pair).ok_or_else(|| Error::parameter(format!("there is no pair {} of {n}", pair + 1)))
}

fn set_side(l: &mut Landmark, side: Side) {
    match side {
        Side::Moving(p) => l.moving = Some(p),
        Side::Fixed(p) => l.fixed = Some(p),
    }
}

fn clear_side(l: &mut Landmark, moving: bool) -> String {
    if moving {
        l.moving = None;
    } else {
        l.fixed = None;
    }
    format!("take back half of pair {}", l.name)
}

fn lacks(l: &Landmark, side: Side) -> bool {
    match side {
        Side::Moving(_) => l.moving.is_none(),
        Side::Fixed(_) => l.fixed.is_none(),
    }
}

fn place(r: &mut Registration, side: Side, selected: Option<usize>) -> (String, Option<usize>) {
    let pairs = &mut r.landmarks.pairs;
    let open = selected.filter(|&i| pairs.get(i).is_some_and(|l| lacks(l, side)));
    let index = open.or_else(|| pairs.iter().position(|l| lacks(l, side))).unwrap_or_else(|| {
        pairs.push(Landmark::named(next_name(pairs)));
        pairs.len() - 1
    });
    set_side(&mut pairs[index], side);
    let half = if matches!(side, Side::Moving(_)) { "section" } else { "heart" };
    (format!("place pair {} in the {half}", pairs[index].name), Some(index))
}

fn next_name(pairs: &[Landmark]) -> String {
    let free = USUAL_NAMES.iter().find(|n| pairs.iter().all(|l| l.name != **n));
    free.map_or_else(|| format!("landmark {}", pairs.len() + 1), |n| (*n).to_owned())
}

fn mend_swap(r: &mut Registration) -> Result<String> {
    let swapped = r.fit.as_ref().map(|f| f.quality.swapped_pairs.clone()).unwrap_or_default();
    let Some([a, b]) = swapped.first() else { return Err(Error::parameter("no pairs look swapped")) };
    let find = |name: &str| r.landmarks.pairs.iter().position(|l| l.name == name);
    let (Some(i), Some(j)) = (find(a), find(b)) else { return Err(Error::parameter("the swapped pairs are gone")) };
    let fixed = r.landmarks.pairs[i].fixed;
    r.landmarks.pairs[i].fixed = r.landmarks.pairs[j].fixed;
    r.landmarks.pairs[j].fixed = fixed;
    Ok(format!("exchange {a} and {b}"))
}

fn project_flagged(r: &mut Registration) -> String {
    let plane = r.plane;
    for l in &mut r.landmarks.pairs {
        l.fixed = l.fixed.map(|p| plane.lps_from_plane(plane.plane_from_lps(p)));
    }
    "project landmarks on the plane".into()
}
