//! The window: starts core beside the driver, opens, draws, measures, and closes in order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eframe::egui_wgpu::{WgpuSetup, WgpuSetupCreateNew};
use egui::{Context, Ui, ViewportBuilder};
use rspa_core::api::{CoreOptions, Role};
use rspa_core::clock::{Clock, SystemClock};

use crate::design;
use crate::measure::{Measure, Measuring};
use crate::shell::{Engine, Shell, Started};
use crate::state::Persisted;

/// How long the window waits for its stored place before it opens with the default one.
const PLACE_WAIT: Duration = Duration::from_millis(60);

/// How the window is opened.
pub struct WindowOptions {
    /// When the process started: `first_frame_ms` counts from here.
    pub process_start: Instant,
    pub data_folder: Option<PathBuf>,
    /// Settings given on the command line: `group.name` to text.
    pub overrides: BTreeMap<String, String>,
    pub environment: BTreeMap<String, String>,
    pub console_level: Option<String>,
    pub chat_model: Option<Arc<dyn rspa_core::inference::ChatModel>>,
    pub clock: Arc<dyn Clock>,
    /// Measures the window and closes it.
    pub measure: Option<Measure>,
    /// Returns when the window should close, such as when the system shuts down; runs on a thread of its own.
    pub asked_to_close: Option<Box<dyn FnOnce() + Send>>,
}

impl Default for WindowOptions {
    /// The process environment and the system's clock.
    fn default() -> Self {
        Self {
            process_start: Instant::now(),
            data_folder: None,
            overrides: BTreeMap::new(),
            environment: std::env::vars().collect(),
            console_level: None,
            chat_model: None,
            clock: Arc::new(SystemClock),
            measure: None,
            asked_to_close: None,
        }
    }
}

impl WindowOptions {
    fn core_options(&self) -> CoreOptions {
        CoreOptions {
            role: Role::Window,
            data_folder: self.data_folder.clone(),
            overrides: self.overrides.clone(),
            environment: self.environment.clone(),
            console_level: self.console_level.clone(),
            chat_model: self.chat_model.clone(),
            clock: self.clock.clone(),
            faults: None,
        }
    }
}

/// What the start of the driver leaves for the app.
#[derive(Default)]
struct Driver {
    /// When the window's own start was done and the driver's began.
    began: Option<Instant>,
    adapter: Option<String>,
    /// Drawing on the processor, or not with the adapter that was tried first.
    notice: Option<String>,
    failed: Vec<String>,
}

/// Opens the window and returns when it was closed.
///
/// # Errors
/// When no window can be opened: no display, or no adapter at all that can draw.
pub fn run_window(options: WindowOptions) -> anyhow::Result<()> {
    let driver = Arc::new(Mutex::new(Driver::default()));
    let options = Arc::new(Mutex::new(options));
    let (ctx, core_options) = (Context::default(), lock(&options).core_options());
    if let Some(asked) = lock(&options).asked_to_close.take() {
        let ctx = ctx.clone();
        std::thread::Builder::new().name("asked to close".to_owned()).spawn(move || {
            asked();
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            ctx.request_repaint();
        })?;
    }
    let mut start = Some(Engine::start(core_options, &ctx));
    // Parsing the tokens and texts takes a moment: it happens while core opens its files.
    design::install(&ctx);
    // Adapters that turn out not to work are left out in the next round.
    for _attempt in 0..4 {
        let begun = start.take().unwrap_or_else(|| Engine::start(lock(&options).core_options(), &ctx));
        match open(&ctx, begun, &options, &driver) {
            Ok(()) => return Ok(()),
            Err(eframe::Error::Wgpu(error)) if retry(&driver) => {
                tracing::warn!(%error, "an adapter could not draw the window; trying the next one");
            }
            Err(error) => return Err(error.into()),
        }
    }
    anyhow::bail!("no graphics adapter could draw the window")
}

fn open(
    ctx: &Context,
    started: Receiver<Started>,
    options: &Arc<Mutex<WindowOptions>>,
    driver: &Arc<Mutex<Driver>>,
) -> eframe::Result {
    let handed = Arc::new(Mutex::new(Handed { started: Some(started), ready: None, persisted: None }));
    let native = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("RS Personal Agent")
            .with_app_id("rspa")
            .with_min_inner_size([480.0, 320.0])
            .with_icon(icon()),
        window_builder: Some(Box::new({
            let (handed, driver) = (handed.clone(), driver.clone());
            move |builder| {
                let builder = place(&mut lock(&handed), builder);
                lock(&driver).began = Some(Instant::now());
                builder
            }
        })),
        wgpu_options: eframe::egui_wgpu::WgpuConfiguration {
            wgpu_setup: WgpuSetup::CreateNew(setup(driver.clone())),
            ..Default::default()
        },
        // Ours looks only when it must.
        system_font_fallback: false,
        ..Default::default()
    };
    let options = options.clone();
    let driver = driver.clone();
    let create: eframe::AppCreator<'_> = Box::new(move |creation| {
        let ctx = &creation.egui_ctx;
        let driver = lock(&driver);
        let driver_took = driver.began.map_or(Duration::ZERO, |began| began.elapsed());
        let mut options_now = lock(&options);
        let measuring = options_now
            .measure
            .take()
            .map(|measure| Measuring::new(measure, options_now.process_start, driver_took, driver.adapter.clone()));
        let clock = options_now.clock.clone();
        drop(options_now);
        let mut handed = lock(&handed);
        let again = options.clone();
        let engine = Engine::starting(handed.receiver(), Box::new(move || lock(&again).core_options()));
        let mut shell = Shell::new(engine, clock);
        if let Some(notice) = &driver.notice {
            shell.tell_quietly(notice.clone());
        }
        if let Some(persisted) = &handed.persisted {
            shell.opened_with(persisted);
        }
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        design::system_fonts::OnDemand::install(ctx);
        Ok(Box::new(App { shell, measuring }))
    });
    eframe::run_native_ext("RS Personal Agent", native, Some(ctx.clone()), create)
}

/// What passes from the start to the app.
struct Handed {
    started: Option<Receiver<Started>>,
    /// Taken from `started` already.
    ready: Option<Started>,
    persisted: Option<Persisted>,
}

impl Handed {
    /// The receiver for the engine, with what was already taken put back in.
    fn receiver(&mut self) -> Receiver<Started> {
        match (self.ready.take(), self.started.take()) {
            (Some(ready), _) => {
                let (sender, receiver) = std::sync::mpsc::channel();
                sender.send(ready).unwrap_or_default();
                receiver
            }
            (None, Some(receiver)) => receiver,
            (None, None) => std::sync::mpsc::channel().1,
        }
    }
}

/// Puts the window where it was, if core answers soon enough.
fn place(handed: &mut Handed, builder: ViewportBuilder) -> ViewportBuilder {
    if let Some(started) = &handed.started
        && let Ok(ready) = started.recv_timeout(PLACE_WAIT)
    {
        handed.persisted = ready.persisted.as_deref().map(Persisted::read);
        handed.ready = Some(ready);
    }
    let window = handed.persisted.as_ref().map(|persisted| persisted.window).unwrap_or_default();
    let builder = builder.with_inner_size(window.size).with_maximized(window.maximized);
    match window.position {
        Some(position) => builder.with_position(position),
        None => builder,
    }
}

/// The adapter: a real one before one on the processor, and none that failed before.
fn setup(driver: Arc<Mutex<Driver>>) -> WgpuSetupCreateNew {
    use eframe::wgpu::{Adapter, Backend, DeviceType, Surface};
    let mut setup = WgpuSetupCreateNew::without_display_handle();
    let select = move |adapters: &[Adapter], surface: Option<&Surface<'_>>| {
        let mut driver = lock(&driver);
        let name = |adapter: &Adapter| {
            let info = adapter.get_info();
            format!("{} ({})", info.name, info.backend)
        };
        let rank = |adapter: &Adapter| {
            let info = adapter.get_info();
            let device = match info.device_type {
                // A quiet window needs no strong adapter: the one of the processor saves power.
                DeviceType::IntegratedGpu => 0,
                DeviceType::DiscreteGpu => 1,
                DeviceType::VirtualGpu => 2,
                DeviceType::Other => 3,
                DeviceType::Cpu => 4,
            };
            (device, u8::from(info.backend == Backend::Gl))
        };
        let usable = |adapter: &&Adapter| {
            surface.is_none_or(|surface| adapter.is_surface_supported(surface))
                && !driver.failed.contains(&name(adapter))
        };
        let Some(best) = adapters.iter().filter(usable).min_by_key(|adapter| rank(adapter)) else {
            return Err("no adapter can draw the window".to_owned());
        };
        let named = name(best);
        driver.notice = match (best.get_info().device_type, driver.failed.first()) {
            (_, Some(failed)) => {
                Some(crate::text::tr_with("renderer.fell_back", &[("failed", failed), ("now", &named)]))
            }
            (DeviceType::Cpu, None) => Some(crate::text::tr_with("renderer.software", &[("name", &named)])),
            _ => None,
        };
        driver.adapter = Some(named);
        Ok(best.clone())
    };
    setup.native_adapter_selector = Some(Arc::new(select));
    // A window of text needs no large blocks of video memory ahead of use.
    let usual = setup.device_descriptor.clone();
    setup.device_descriptor = Arc::new(move |adapter| eframe::wgpu::DeviceDescriptor {
        memory_hints: eframe::wgpu::MemoryHints::MemoryUsage,
        ..usual(adapter)
    });
    setup
}

/// Leaves the adapter that was tried out of the next round; false when there was none.
fn retry(driver: &Arc<Mutex<Driver>>) -> bool {
    let mut driver = lock(driver);
    match driver.adapter.take() {
        Some(adapter) => {
            driver.failed.push(adapter);
            true
        }
        None => false,
    }
}

fn icon() -> egui::IconData {
    egui::IconData::default()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

struct App {
    shell: Shell,
    measuring: Option<Measuring>,
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.shell.logic(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.shell.ui(ui);
        // The engine may need a moment to write and stop: the window is gone at once.
        if ui.input(|i| i.viewport().close_requested()) {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Visible(false));
        }
        if let Some(measuring) = &mut self.measuring {
            measuring.frame(ui.ctx(), &self.shell);
        }
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self) {
        self.shell.close();
    }
}
