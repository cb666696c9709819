//! Consent to a download: host, size, licence and checksum are shown before a byte moves.

use rspa_core::model::CatalogueModel;

use crate::commands::{Confirmation, UiCommand};
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
    let consequence = tr_with(
        "consent.text",
        &[
            ("name", &model.name),
            ("host", &host),
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

    #[test]
    fn the_question_names_host_and_size_and_the_command_the_same_host() {
        let model = CatalogueModel {
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
                url: "https://models.example:8443/a/m.gguf?x=1".into(),
                size_bytes: 1_400_000_000,
                sha256: String::new(),
            }],
        };
        let Some(UiCommand::Confirm(question)) = question(&model) else { panic!("no question") };
        assert!(question.consequence.contains("models.example:8443") && question.consequence.contains("1.4 GB"));
        let UiCommand::DownloadModel { confirmed_host, .. } = *question.then else { panic!("no download") };
        assert_eq!(confirmed_host, "models.example:8443");
    }
}
