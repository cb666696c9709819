//! Consent to a download: host, size, licence and checksum are shown before a byte moves.

use rspa_core::model::{CatalogueModel, file_servers};

use super::{Confirmation, UiCommand};
use crate::text::{bytes, tr, tr_with};

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
}
