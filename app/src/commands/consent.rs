//! Consent to a download: host, size, licence and checksum are shown before a byte moves; to a page: its host.

use rspa_core::model::{CatalogueModel, file_servers};

use super::{Confirmation, UiCommand};
use crate::text::{bytes, short, tr, tr_with};

/// Letters of an address that are shown.
const SHOWN: usize = 300;

/// Bytes of all files of a model.
pub fn size(model: &CatalogueModel) -> u64 {
    model.files.iter().map(|file| file.size_bytes).sum()
}

/// The host that the files come from, with its port where one is named.
pub fn host(model: &CatalogueModel) -> Option<&str> {
    let url = &model.files.first()?.url;
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())
}

/// The question before a download; none for an entry without an address.
pub fn question(model: &CatalogueModel) -> Option<UiCommand> {
    let host = host(model)?.to_owned();
    let check = if model.files.iter().all(|file| !file.sha256.is_empty()) {
        tr("consent.checked")
    } else {
        tr("consent.unchecked")
    };
    let hosts = match file_servers(&host) {
        [] => host.clone(),
        servers => tr_with("consent.servers", &[("host", &host), ("servers", &servers.join(", "))]),
    };
    let consequence = tr_with(
        "consent.text",
        &[
            ("name", &model.name),
            ("hosts", &hosts),
            ("size", &bytes(size(model))),
            ("license", &model.license),
            ("check", &check),
        ],
    );
    Some(UiCommand::Confirm(Confirmation {
        title: tr_with("consent.title", &[("host", &host)]),
        consequence,
        verb: tr_with("consent.verb", &[("size", &bytes(size(model)))]),
        danger: false,
        then: Box::new(UiCommand::DownloadModel { catalogue_id: model.id.clone(), confirmed_host: host }),
    }))
}

/// The host of a page, lower case, without port; none for what is no address of the web. Core has the last word.
pub fn host_of_page(address: &str) -> Option<String> {
    let (scheme, rest) = address.trim().split_once("://")?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => format!("[{host}]"),
        None => authority.split(':').next().unwrap_or_default().to_owned(),
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// The question before a page is fetched; none for what is no address.
pub fn page(address: &str) -> Option<UiCommand> {
    let address = address.trim();
    let host = host_of_page(address)?;
    let consequence =
        tr_with("consent.page_text", &[("address", &short(address, SHOWN)), ("host", &short(&host, SHOWN))]);
    Some(UiCommand::Confirm(Confirmation {
        title: tr_with("consent.page_title", &[("host", &short(&host, SHOWN))]),
        consequence,
        verb: tr("consent.page_verb").to_owned(),
        danger: false,
        then: Box::new(UiCommand::AddPage { address: address.to_owned(), confirmed_host: host }),
    }))
}

#[cfg(test)]
mod tests {
    use rspa_core::model::{CatalogueFile, ModelKind};

    use super::*;

    fn model(url: &str) -> CatalogueModel {
        CatalogueModel {
            id: "m".into(),
            name: "Model".into(),
            kind: ModelKind::Chat,
            family: "llama".into(),
            quantisation: "Q4".into(),
            license: "MIT".into(),
            context_length: 1,
            memory_bytes: 1,
            demonstration: false,
            summary: String::new(),
            files: vec![CatalogueFile {
                name: "m.gguf".into(),
                url: url.into(),
                size_bytes: 1_400_000_000,
                sha256: String::new(),
            }],
        }
    }

    #[test]
    fn every_host_that_consent_covers_is_named() {
        let Some(UiCommand::Confirm(question)) = question(&model("https://huggingface.co/a")) else { panic!("none") };
        for host in ["huggingface.co and its file servers", "cdn-lfs.hf.co", "cas-bridge.xethub.hf.co"] {
            assert!(question.consequence.contains(host), "{}", question.consequence);
        }
        let servers = file_servers("huggingface.co");
        assert!(servers.iter().all(|server| question.consequence.contains(server)), "{}", question.consequence);
    }

    #[test]
    fn the_question_names_host_and_size_and_the_command_the_same_host() {
        let model = model("https://models.example:8443/a/m.gguf?x=1");
        let Some(UiCommand::Confirm(question)) = question(&model) else { panic!("no question") };
        assert!(question.consequence.contains("models.example:8443") && question.consequence.contains("1.4 GB"));
        let UiCommand::DownloadModel { confirmed_host, .. } = *question.then else { panic!("no download") };
        assert_eq!(confirmed_host, "models.example:8443");
    }

    #[test]
    fn a_page_is_asked_about_by_its_host() {
        let Some(UiCommand::Confirm(question)) = page(" https://Docs.Example:8443/a?b#c ") else { panic!("none") };
        assert!(
            question.title.contains("docs.example") && question.consequence.contains("https://Docs.Example:8443/a")
        );
        let UiCommand::AddPage { address, confirmed_host } = *question.then else { panic!("no page") };
        assert_eq!((address.as_str(), confirmed_host.as_str()), ("https://Docs.Example:8443/a?b#c", "docs.example"));
        for wrong in ["", "docs.example/a", "ftp://docs.example", "https://", "file:///etc/passwd"] {
            assert_eq!(page(wrong), None, "{wrong}");
        }
        let hostile = format!("https://a.example/{}\u{202e}gpj", "x".repeat(100_000));
        let Some(UiCommand::Confirm(question)) = page(&hostile) else { panic!("none") };
        assert!(question.consequence.chars().count() < 1_500 && !question.consequence.contains('\u{202e}'));
    }
}
