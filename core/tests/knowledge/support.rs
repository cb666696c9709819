//! What the flow tests share: options of a core, places of models, a small PDF.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rspa_core::api::{CoreOptions, Role};
use rspa_core::clock::SystemClock;

pub fn options(data: &Path, role: Role) -> CoreOptions {
    std::fs::create_dir_all(data).unwrap();
    CoreOptions {
        role,
        data_folder: Some(data.to_owned()),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: None,
        clock: Arc::new(SystemClock),
        faults: None,
    }
}

/// Where the models for tests lie.
pub fn models() -> PathBuf {
    match std::env::var_os("RSPA_MODELS_PATH") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/rspa-models"),
    }
}

/// A small PDF of as many pages as texts.
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    let mut object = |out: &mut Vec<u8>, body: String| {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n{body}\nendobj\n", places.len()).into_bytes());
    };
    let kids: Vec<_> = (0..pages.len()).map(|index| format!("{} 0 R", 4 + index * 2)).collect();
    object(&mut out, "<< /Type /Catalog /Pages 2 0 R >>".to_owned());
    object(&mut out, format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()));
    object(&mut out, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned());
    for (index, text) in pages.iter().enumerate() {
        let content = 5 + index * 2;
        object(
            &mut out,
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] \
                 /Resources << /Font << /F1 3 0 R >> >> /Contents {content} 0 R >>"
            ),
        );
        let stream = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
        object(&mut out, format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()));
    }
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).into_bytes());
    for place in &places {
        out.extend(format!("{place:010} 00000 n \n").into_bytes());
    }
    let size = places.len() + 1;
    out.extend(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").into_bytes());
    out
}
