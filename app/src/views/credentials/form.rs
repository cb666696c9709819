//! The form for a credential: new, or a new key for one that is there.

use egui::{Label, Ui};
use rspa_core::model::{Credential, CredentialList, Timestamp};

use super::Open;
use crate::commands::UiCommand;
use crate::commands::pages::credentials::CredentialsCommand;
use crate::design::{Type, UiExt};
use crate::text::tr;
use crate::views::Cx;
use crate::widgets::secret_field::{SecretDraft, SecretField};
use crate::widgets::{Button, TextField, card, select};

const WIDTH: f32 = 340.0;

#[derive(Default)]
pub struct CredentialForm {
    /// Index among the known services.
    chosen: usize,
    /// The name of a service with an address of its own.
    own_name: String,
    label: String,
    secret: SecretDraft,
    address: String,
    expires: String,
    /// Only the key is new.
    replaces: Option<String>,
}

impl CredentialForm {
    pub fn replacing(item: &Credential) -> Self {
        let day = |at: Timestamp| {
            let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
            Some(at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d").to_string())
        };
        Self {
            label: item.label.clone(),
            address: item.base_url.clone().unwrap_or_default(),
            expires: item.expires.and_then(day).unwrap_or_default(),
            replaces: Some(item.service.clone()),
            ..Self::default()
        }
    }
}

/// The end of a day, in milliseconds; `Err` for what is no day.
fn end_of(day: &str) -> Result<Option<Timestamp>, ()> {
    let day = day.trim();
    if day.is_empty() {
        return Ok(None);
    }
    let date: jiff::civil::Date = day.parse().map_err(|_not_a_day| ())?;
    let end = date.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::system()).map_err(|_out_of_range| ())?;
    Ok(Some(Timestamp(end.timestamp().as_millisecond())))
}

pub fn ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    list: &CredentialList,
    form: &mut CredentialForm,
    sent: &mut Option<u64>,
    open: &mut Open,
) {
    let tokens = ui.tokens();
    card(ui, |ui| {
        ui.take_available_width();
        let title = if form.replaces.is_some() { tr("credentials.replace_title") } else { tr("credentials.add_title") };
        ui.label(tokens.rich(Type::Strong, title));
        ui.add_space(tokens.space.s);
        let known = list.services.get(form.chosen);
        let needs_address = form.replaces.is_none() && known.is_some_and(|known| known.base_url.is_none());
        match &form.replaces {
            Some(service) => {
                row(ui, tr("credentials.service"), |ui| {
                    ui.label(tokens.rich(Type::Body, service));
                });
            }
            None => {
                row(ui, tr("credentials.service"), |ui| {
                    let names: Vec<String> = list.services.iter().map(|known| known.name.clone()).collect();
                    if let Some(picked) = select(ui, tr("credentials.service"), &names, form.chosen, WIDTH - 16.0) {
                        form.chosen = picked;
                    }
                });
            }
        }
        if needs_address {
            text(ui, tr("credentials.own_name"), "my-server", &mut form.own_name, false);
        }
        row(ui, tr("credentials.secret"), |ui| {
            SecretField::new(&mut form.secret, tr("credentials.secret")).width(WIDTH).show(ui);
        });
        let usual = known.and_then(|known| known.base_url.clone()).filter(|_| form.replaces.is_none());
        let hint = usual.unwrap_or_else(|| "https://host.example/v1".to_owned());
        text(ui, tr("credentials.address"), &hint, &mut form.address, false);
        text(ui, tr("credentials.label"), tr("credentials.optional"), &mut form.label, false);
        let expires = end_of(&form.expires);
        text(ui, tr("credentials.expires"), tr("credentials.expires_hint"), &mut form.expires, expires.is_err());
        ui.add(Label::new(tokens.rich(Type::Label, tr("credentials.form_detail"))).wrap());
        ui.add_space(tokens.space.s);
        ui.horizontal(|ui| {
            let own = form.own_name.trim();
            let service = match (&form.replaces, known) {
                (Some(service), _) => service.clone(),
                (None, Some(_)) if needs_address => own.to_owned(),
                (None, Some(known)) => known.service.clone(),
                (None, None) => String::new(),
            };
            let address = Some(form.address.trim().to_owned()).filter(|address| !address.is_empty());
            let ready = !form.secret.is_empty()
                && !service.is_empty()
                && (!needs_address || address.is_some())
                && expires.is_ok()
                && !cx.state.pages.credentials.busy;
            if ui.add(Button::new(tr("credentials.save")).primary().enabled(ready)).clicked() {
                *sent = Some(cx.state.pages.credentials.confirmed);
                cx.commands.push(UiCommand::Credentials(CredentialsCommand::Set {
                    service,
                    label: form.label.trim().to_owned(),
                    secret: form.secret.secret(),
                    base_url: address,
                    expires: expires.unwrap_or_default(),
                }));
            }
            if ui.add(Button::new(tr("common.cancel")).quiet()).clicked() {
                *form = CredentialForm::default();
                *open = Open::Nothing;
            }
        });
    });
    ui.add_space(tokens.space.l);
}

fn row(ui: &mut Ui, name: &str, control: impl FnOnce(&mut Ui)) {
    let tokens = ui.tokens();
    ui.horizontal(|ui| {
        let size = egui::vec2(150.0, tokens.size.control);
        ui.allocate_ui_with_layout(size, egui::Layout::left_to_right(egui::Align::Center), |ui| {
            ui.set_min_width(size.x);
            ui.label(tokens.rich(Type::Secondary, name));
        });
        control(ui);
    });
    ui.add_space(tokens.space.xs);
}

fn text(ui: &mut Ui, name: &str, hint: &str, value: &mut String, problem: bool) {
    row(ui, name, |ui| {
        TextField::new(value, name).hint(hint).width(WIDTH - 20.0).problem(problem).show(ui);
    });
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn a_day_is_read_or_refused() {
        assert_eq!(end_of("  "), Ok(None));
        assert!(end_of("2027-02-28").unwrap().is_some());
        assert!(end_of("28.2.2027").is_err() && end_of("2027-02-30").is_err());
    }
}
