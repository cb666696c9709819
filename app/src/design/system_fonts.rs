//! Fonts of the system for what our own lack (Chinese, Arabic, emoji): looked for only when such a text appears.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use egui::{Context, FallbackRequest, FontFamily, FontInsert, FontProvider};
use egui_system_font_provider::SystemFontProvider;

/// Waits for the first character that no font has, then lists the system's fonts on a thread of its own.
///
/// Listing takes up to some hundred milliseconds, so the drawing thread does not wait for it: the text is
/// drawn again when the list is there.
pub struct OnDemand {
    ctx: Context,
    begun: AtomicBool,
}

impl OnDemand {
    pub fn install(ctx: &Context) {
        ctx.add_font_provider(Arc::new(Self { ctx: ctx.clone(), begun: AtomicBool::new(false) }));
    }
}

impl FontProvider for OnDemand {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        if self.begun.swap(true, Ordering::Relaxed) {
            return None;
        }
        let (ctx, cluster) = (self.ctx.clone(), request.cluster.to_owned());
        let work = move || {
            let fonts = SystemFontProvider::new();
            // This waits until the list is there.
            fonts.font_for(&FallbackRequest { cluster: &cluster, family: &FontFamily::Proportional });
            ctx.set_font_providers(vec![Arc::new(fonts)]);
            ctx.request_repaint();
        };
        if let Err(error) = std::thread::Builder::new().name("system-fonts".into()).spawn(work) {
            tracing::warn!(%error, "the system's fonts cannot be listed");
        }
        None
    }
}
