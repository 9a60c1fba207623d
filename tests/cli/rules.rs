//! Rules of all commands: statuses, options, determinism, inputs untouched, nothing left after a failure.

use crate::run::{demo, files, run, run_in};
use std::path::Path;

#[test]
fn usage_and_its_errors() {
    let help = run("--help", &[]);
    assert_eq!((help.status, help.err.as_str()), (0, ""));
    for command in ["inspect", "snapshot", "demo", "measure", "register", "warp"] {
        assert!(help.out.contains(command), "{command} is in the help");
    }
    assert_eq!(run("measure", &[]).status, 2, "a command without its subcommand is bad usage");
    assert!(run("--version", &[]).out.starts_with("myoscope 0."));
    for (line, part) in [
        ("measure ventricles", "--labels"),
        ("register landmarks --model rigid", "--pairs"),
        ("register landmarks --pairs p.csv --model elastic", "elastic"),
        ("warp points --in x.csv", "--transform"),
        ("snapshot --view slice", "--out"),
        ("snapshot --view hologram --out x.png", "hologram"),
        ("demo", "--out"),
        ("inspect", "paths"),
        ("inspect . --threads 0", "--threads"),
        ("inspect . --threads many", "many"),
        ("inspect . --seed -1", "-1"),
        ("inspect . --max-memory 0", "--max-memory"),
        ("inspect . --max-memory nan", "--max-memory"),
        ("inspect . --frobnicate", "--frobnicate"),
    ] {
        run(line, &[]).is_error(part);
    }
}

#[test]
fn missing_files_are_named_last() {
    for line in [
        "inspect nowhere.nii",
        "measure ventricles --labels nowhere.nii",
        "measure segments --labels nowhere.nii",
        "register landmarks --model rigid --pairs nowhere.nii",
        "warp points --in nowhere.nii --out x.csv --transform nowhere.nii",
        "snapshot nowhere.nii --view slice --out x.png",
    ] {
        let ran = run(line, &[]);
        ran.is_error("nowhere.nii");
        assert!(ran.err.trim_end().ends_with("nowhere.nii"), "the path comes last: {}", ran.err);
    }
}

#[test]
fn the_demo_has_the_same_bytes_for_any_threads_and_touches_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    run("demo --seed 3 --threads 1 --quiet --out {}", &[&one]).done();
    let two_json = run("demo --seed 3 --threads 2 --json --out {}", &[&two]).json();
    assert_eq!(two_json["seed"].as_u64(), Some(3));
    assert!(two_json["files"].as_array().unwrap().len() >= 9);
    assert!(two_json["files"].as_array().unwrap().iter().all(|f| two.join(f.as_str().unwrap()).exists()));
    let (one, two) = (files(&one), files(&two));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert!(one.iter().all(|(name, bytes)| two[name] == *bytes), "threads change bytes");
    assert_eq!(one, files(demo()));
}

#[test]
fn commands_have_the_same_bytes_for_any_threads() {
    let folder = tempfile::tempdir().unwrap();
    let demo = demo();
    let at = |name: &str| folder.path().join(name);
    let result = |threads: &str| {
        let words = |line: &str| format!("{line} --threads {threads} --quiet");
        let labels = demo.join("cine-labels.nii.gz");
        let (a, b, c, d) = (at("a.csv"), at("b.nii.gz"), at("c.json"), at("d.png"));
        run(&words("measure ventricles --labels {} --out {}"), &[&labels, &a]).done();
        let mut all = vec![std::fs::read(&a).unwrap()];
        run(&words("measure segments --labels {} --out {} --out-labels {}"), &[&labels, &a, &b]).done();
        let pairs = demo.join("truth/landmarks.csv");
        let told = run(&words("register landmarks --pairs {} --model tps --json --out {}"), &[&pairs, &c]).done();
        run(&words("snapshot {} --view slice --size 200x150 --out {}"), &[&demo.join("lge.nii.gz"), &d]).done();
        all.extend([&a, &b, &c, &d].map(|p| std::fs::read(p).unwrap()));
        all.push(told.out.into_bytes());
        all
    };
    assert!(result("1") == result("2"), "threads change bytes");
}

#[test]
fn inputs_stay_and_a_failure_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("labels_gt.nii.gz");
    std::fs::copy(demo().join("lge-labels.nii.gz"), &labels).unwrap();
    let pairs = folder.path().join("pairs.csv");
    std::fs::write(&pairs, "name,moving_x,moving_y,fixed_x,fixed_y\na,1,2,3,4\nb,,2,3,4\n").unwrap();
    std::fs::write(folder.path().join("t.json"), "{\"model\":\"rigid\"}").unwrap();
    std::fs::write(folder.path().join("x.csv"), "id,x,y\na,1,two\n").unwrap();
    let before = files(folder.path());
    for line in [
        "measure ventricles --labels labels_gt.nii.gz --label lv=9 --out out.csv",
        "measure ventricles --labels labels_gt.nii.gz --out missing/out.csv",
        "measure segments --labels labels_gt.nii.gz --label rv=77 --out out.csv --out-labels out.nii.gz",
        "measure segments --labels labels_gt.nii.gz --out-labels out.nii.gz --out missing/out.csv",
        "register landmarks --pairs pairs.csv --model rigid --out out.json",
        "warp points --transform t.json --in x.csv --out out.csv",
        "snapshot labels_gt.nii.gz --view slice --plane axial --phase 7 --out out.png",
        "snapshot labels_gt.nii.gz --view slice --size 0x9 --out out.png",
    ] {
        let ran = run_in(folder.path(), line.split_whitespace());
        ran.is_error("");
        assert!(!ran.err.contains("Usage"), "the words are right: {}", ran.err);
        assert!(files(folder.path()) == before, "{line} left something");
    }
    for line in ["measure ventricles --labels labels_gt.nii.gz", "inspect labels_gt.nii.gz pairs.csv t.json"] {
        assert_eq!(run_in(folder.path(), line.split_whitespace()).status, 0);
        assert!(files(folder.path()) == before, "{line} changed something");
    }
}

#[test]
fn memory_is_refused_before_it_is_taken() {
    let image = demo().join("cine.nii.gz");
    run("measure ventricles --max-memory 0.001 --labels {}", &[&image]).is_error("--max-memory");
    let note = run("inspect {} --json --max-memory 0.001", &[&image]).json();
    assert_eq!((&note["notes"][0]["code"], &note["notes"][0]["severity"]), (&"too-large".into(), &"error".into()));
}

#[test]
fn quiet_says_nothing_and_results_stay_on_standard_output() {
    let labels = demo().join("lge-labels.nii.gz");
    let loud = run("measure ventricles --labels {} --json", &[&labels]);
    let quiet = run("measure ventricles --labels {} --json --quiet", &[&labels]);
    assert!(loud.err.contains("one-phase") && quiet.err.is_empty(), "{}", loud.err);
    assert_eq!(loud.json(), quiet.json());
    assert!(!loud.err.contains('\u{1b}') && !loud.err.contains('\r'), "no progress bar without a terminal");
}

#[test]
fn hostile_files_are_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let whole = std::fs::read(demo().join("lge-labels.nii.gz")).unwrap();
    let broken = [
        at("empty.nii", b""),
        at("words.nii", b"not an image at all"),
        at("cut_gt.nii.gz", &whole[..whole.len() / 2]),
        at("zeros.nii", &[0; 400]),
        at("png.nii.gz", b"\x89PNG\r\n\x1a\n0000"),
    ];
    for path in &broken {
        run("measure ventricles --labels {}", &[path]).is_error(&path.file_name().unwrap().to_string_lossy());
        let note = run("inspect --json {}", &[path]).json();
        assert_eq!(note["notes"][0]["severity"], "error", "{note}");
        let broken_path: &Path = path;
        run("register landmarks --model rigid --pairs {}", &[broken_path]).is_error("");
        run("warp points --transform {} --in {} --out x.csv", &[broken_path, broken_path]).is_error("");
        run("snapshot {} --view slice --out x.png", &[path]).is_error("");
    }
}
