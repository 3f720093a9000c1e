//! The page of `repgeo report` in a real browser: what it shows, says and does there.
//!
//! Where there is no Chromium each test says that it was left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::common::{fixture, path, repgeo, text};
use super::pictures::{attributes, page};

/// The page as a browser has it after its script ran; `None` where there is no browser.
fn in_browser(page: &Path, more: &[&str]) -> Option<(String, String)> {
    let program = ["chromium", "chromium-browser", "google-chrome"];
    let profile = TempDir::new().unwrap();
    let data = format!("--user-data-dir={}", path(profile.path()));
    for program in program {
        let output = Command::new(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args([
                "--disable-quic",
                "--disable-sync",
                "--enable-logging=stderr",
                &data,
            ])
            .args(more)
            .arg(format!("file://{}", path(page)))
            .stdin(Stdio::null())
            .output();
        if let Ok(output) = output {
            return Some((
                text(&output.stdout),
                String::from_utf8_lossy(&output.stderr).into(),
            ));
        }
    }
    eprintln!("SKIPPED 1: no Chromium here, the page was not opened in a browser");
    None
}

#[test]
fn the_page_opens_in_a_browser_without_a_word_of_complaint() {
    let folder = TempDir::new().unwrap();
    let (html, report) = page(folder.path(), &[]);
    let Some((dom, log)) = in_browser(&html, &["--dump-dom"]) else {
        return;
    };
    let complaints: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    // The script moves what marks say from their titles to an attribute: it ran to its end.
    assert!(dom.contains("data-tip=") && dom.contains(r#"<div id="tip" hidden="">"#));
    assert!(dom.contains(r#"tabindex="0""#));
    let layers = report["parts"]["dimension"]["layers"].as_array().unwrap();
    let ids: Vec<f64> = layers
        .iter()
        .map(|layer| layer["estimates"][0]["id"].as_f64().unwrap())
        .collect();
    assert_eq!(attributes(&dom, "data-y")[..ids.len()], ids[..]);
    assert!(dom.contains("hidden_states.0"));
}

#[test]
fn names_with_html_in_them_are_text_in_a_browser() {
    let folder = TempDir::new().unwrap();
    let dump = folder.path().join("acts");
    fs::create_dir(&dump).unwrap();
    for at in 0..3 {
        let rows: Vec<f64> = (0..120).map(|i| f64::from(i * (at + 7) % 31)).collect();
        let name = format!("<img src=x onerror=alert({at})>.npy");
        fs::write(dump.join(name), repgeo::storage::npy(&[40, 3], &rows)).unwrap();
    }
    let html = folder.path().join("page.html");
    let output = repgeo(&["report", path(&dump), "-q", "-o", path(&html)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!fs::read_to_string(&html).unwrap().contains("<img"));
    let Some((dom, _)) = in_browser(&html, &["--dump-dom"]) else {
        return;
    };
    assert!(!dom.contains("<img"));
    assert!(dom.contains("&lt;img src=x"));
}

/// What a script of ours finds when it acts on the page as a reader would.
///
/// The script stands at the end of a copy of the page and writes JSON into it.
fn acted(page: &Path, width: usize, script: &str) -> Option<Value> {
    let copy: PathBuf = page.with_extension("acted.html");
    let html = fs::read_to_string(page).unwrap();
    let script = format!(
        "<script>const act = () => {{ {script} }};\n\
         const found = document.createElement('pre');\n\
         found.id = 'found';\n\
         const told = (what) => {{ found.textContent = JSON.stringify(what); document.body.append(found); }};\n\
         Promise.resolve().then(act).then(told, (error) => told(String(error)));</script></body>"
    );
    fs::write(&copy, html.replace("</body>", &script)).unwrap();
    let window = format!("--window-size={width},900");
    // Time runs on until nothing is waited for: what is unpacked takes a few turns.
    let patience = "--virtual-time-budget=10000";
    let (dom, _) = in_browser(&copy, &["--dump-dom", &window, patience])?;
    let open = r#"<pre id="found">"#;
    let start = dom.rfind(open).expect("the script ran") + open.len();
    let found = &dom[start..start + dom[start..].find("</pre>").unwrap()];
    let found = found.replace("&lt;", "<").replace("&gt;", ">");
    Some(serde_json::from_str(&found.replace("&amp;", "&")).unwrap())
}

#[test]
fn a_mark_that_is_pointed_at_says_its_value() {
    let folder = TempDir::new().unwrap();
    let (html, report) = page(folder.path(), &["--only", "dimension"]);
    let script = "
        const dot = document.querySelector('circle[data-y]');
        const { left, top } = dot.getBoundingClientRect();
        const at = { bubbles: true, clientX: left, clientY: top };
        dot.dispatchEvent(new PointerEvent('pointermove', at));
        const tip = document.getElementById('tip');
        const shown = [tip.hidden, tip.textContent];
        document.body.dispatchEvent(new PointerEvent('pointermove', at));
        return { shown, after: tip.hidden, value: Number(dot.dataset.y) };";
    let Some(found) = acted(&html, 1000, script) else {
        return;
    };
    let id = &report["parts"]["dimension"]["layers"][0]["estimates"][0]["id"];
    assert_eq!(found["value"], *id);
    assert_eq!(found["shown"][0], false, "{found}");
    let said = found["shown"][1].as_str().unwrap();
    let digits = format!("{:.2}", id.as_f64().unwrap());
    assert!(
        said.contains("hidden_states.0") && said.contains(&digits),
        "{said}"
    );
    assert_eq!(
        found["after"], true,
        "nothing is pointed at, nothing is said"
    );
}

#[test]
fn the_head_of_a_column_sorts_its_table_by_value_up_and_down() {
    let folder = TempDir::new().unwrap();
    let (html, _) = page(folder.path(), &["--only", "dimension"]);
    let script = "
        const table = document.querySelector('table');
        const head = [...table.tHead.rows[0].cells].find((one) => one.textContent === 'id');
        const column = () => [...table.tBodies[0].rows]
            .map((row) => Number(row.cells[head.cellIndex].dataset.value));
        const before = column();
        head.click();
        const up = [column(), head.getAttribute('aria-sort')];
        head.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
        return { before, up, down: [column(), head.getAttribute('aria-sort')] };";
    let Some(found) = acted(&html, 1000, script) else {
        return;
    };
    let numbers = |value: &Value| -> Vec<f64> {
        let all = value.as_array().expect("numbers");
        all.iter().map(|one| one.as_f64().unwrap()).collect()
    };
    let mut expected = numbers(&found["before"]);
    assert_eq!(expected.len(), 7, "{found}");
    expected.sort_by(f64::total_cmp);
    assert_eq!(numbers(&found["up"][0]), expected);
    assert_eq!(found["up"][1], "ascending");
    expected.reverse();
    assert_eq!(numbers(&found["down"][0]), expected);
    assert_eq!(found["down"][1], "descending");
}

#[test]
fn a_picture_taken_along_is_a_whole_file_with_its_words() {
    let folder = TempDir::new().unwrap();
    let (html, _) = page(folder.path(), &["--only", "dimension"]);
    let script = "
        const taken = [];
        URL.createObjectURL = (blob) => { taken.push([blob.type, blob.size]); return '#'; };
        HTMLAnchorElement.prototype.click = function () { taken.push(this.download); };
        document.querySelector('button[data-take=svg]').click();
        document.querySelector('button[data-take=csv]').click();
        return taken;";
    let Some(found) = acted(&html, 1000, script) else {
        return;
    };
    assert_eq!(found[0][0], "image/svg+xml", "{found}");
    assert!(found[0][1].as_u64().unwrap() > 5000, "{found}");
    assert_eq!(found[1], "dimension-1.svg");
    assert_eq!(found[2][0], "text/csv");
    let csv = fs::read(folder.path().join("page-dimension.csv")).unwrap();
    assert_eq!(found[2][1].as_u64().unwrap() as usize, csv.len());
    assert_eq!(found[3], "dimension.csv");
}

#[test]
fn many_layers_make_a_small_page_that_still_says_every_number() {
    let folder = TempDir::new().unwrap();
    let dump = folder.path().join("acts");
    fs::create_dir(&dump).unwrap();
    for layer in 0..72_u32 {
        let value = |i: u32| f64::from((i * (2 * layer + 3) + i * i) % 101);
        let rows: Vec<f64> = (0..160).map(value).collect();
        let name = format!("block.{layer}.npy");
        fs::write(dump.join(name), repgeo::storage::npy(&[40, 4], &rows)).unwrap();
    }
    let html = folder.path().join("page.html");
    let args = [
        "report",
        path(&dump),
        "--join",
        "never",
        "--only",
        "overlap",
    ];
    let args = [&args[..], &["-q", "-o", path(&html)]].concat();
    let output = repgeo(&args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let csv = fs::read_to_string(folder.path().join("page-overlap.csv")).unwrap();
    let size = fs::metadata(&html).unwrap().len() as usize;
    assert!(size < csv.len(), "{size} of {}", csv.len());
    let script = "
        const cells = document.querySelector('[data-cells]');
        const [left, top, width, height] = cells.dataset.cells.split(' ').map(Number);
        const over = (row, column) => {
            const place = new DOMPoint(left + width * (column + 0.5), top + height * (row + 0.5));
            const { x, y } = place.matrixTransform(cells.getScreenCTM());
            const at = { bubbles: true, clientX: x, clientY: y };
            cells.firstElementChild.dispatchEvent(new PointerEvent('pointermove', at));
            return document.getElementById('tip').textContent;
        };
        const said = [over(3, 70), over(71, 0)];
        const taken = new Promise((done) => {
            URL.createObjectURL = (blob) => { blob.text().then(done); return '#'; };
        });
        HTMLAnchorElement.prototype.click = () => {};
        document.querySelector('button[data-take=csv]').click();
        return taken.then((csv) => ({ said, csv }));";
    let Some(found) = acted(&html, 1000, script) else {
        return;
    };
    assert_eq!(found["csv"].as_str().unwrap(), csv);
    let json = fs::read_to_string(folder.path().join("page.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let values = &json["parts"]["overlap"]["matrices"][0]["values"];
    for (said, [row, column]) in [[3, 70], [71, 0]].into_iter().enumerate() {
        let said = found["said"][said].as_str().unwrap();
        let (names, value) = said.split_once('\n').unwrap();
        assert_eq!(names, format!("block.{row} → block.{column}"));
        let (value, whole): (f64, _) = (value.parse().unwrap(), values[row][column].as_f64());
        let whole = whole.unwrap();
        assert!((value - whole).abs() <= 5e-4 * whole, "{said}: {whole}");
    }
}

#[test]
fn nothing_is_cut_off_on_a_phone_a_laptop_or_a_wide_screen() {
    let folder = TempDir::new().unwrap();
    let (html, _) = page(folder.path(), &[]);
    let long = folder.path().join("long.html");
    let dump = path(&fixture("vae/widths/K32.safetensors")).to_owned();
    let args = ["report", &dump, "--only", "dimension,overlap", "-q", "-o"];
    assert!(
        repgeo(&[&args[..], &[path(&long)]].concat())
            .status
            .success()
    );
    // Words of a figure within its frame, the page no wider than the window, figures apart.
    let script = "
        const cut = [];
        let words = 0;
        for (const svg of document.querySelectorAll('figure > svg')) {
            const frame = svg.getBoundingClientRect();
            for (const text of svg.querySelectorAll('text')) {
                const box = text.getBoundingClientRect();
                words += 1;
                if (box.left < frame.left - 1 || box.right > frame.right + 1 ||
                    box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
                    cut.push(text.textContent);
            }
        }
        const figures = [...document.querySelectorAll('figure')]
            .map((one) => one.getBoundingClientRect());
        const apart = figures.every((a, i) => figures.slice(i + 1).every((b) =>
            a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top));
        return { cut, words, apart, figures: figures.length, window: innerWidth,
            page: document.documentElement.scrollWidth };";
    let long_names = (&long, 1000, 2, 40);
    let others = [400, 1000, 1600].map(|width| (&html, width, 9, 200));
    for (page, width, figures, words) in others.into_iter().chain([long_names]) {
        let Some(found) = acted(page, width, script) else {
            return;
        };
        assert_eq!(found["cut"], serde_json::json!([]), "{width}: {found}");
        assert_eq!(found["apart"], true, "{width}: {found}");
        assert!(found["words"].as_u64().unwrap() > words, "{width}: {found}");
        assert!(
            found["figures"].as_u64().unwrap() >= figures,
            "{width}: {found}"
        );
        assert!(
            found["page"].as_u64().unwrap() <= found["window"].as_u64().unwrap(),
            "{width}: {found}"
        );
    }
}

#[test]
fn the_page_prints_on_paper() {
    let folder = TempDir::new().unwrap();
    let (html, _) = page(folder.path(), &["--only", "dimension,imbalance"]);
    let pdf = folder.path().join("page.pdf");
    let print = format!("--print-to-pdf={}", path(&pdf));
    if in_browser(&html, &[&print]).is_some() {
        let written = fs::read(&pdf).unwrap();
        assert!(written.starts_with(b"%PDF-") && written.len() > 20_000);
    }
}
