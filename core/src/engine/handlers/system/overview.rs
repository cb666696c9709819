//! The true figures of the dashboard: what the engine knows itself, then each service's own.

use crate::api::ApiError;
use crate::engine::Context;
use crate::model::{ActivityFilter, Overview, PageRequest};
use crate::storage::activities;
use crate::workspace::places::{folder_bytes, free_disk};

const RECENT: u32 = 20;
const LEDGER: u32 = 10;
/// Days that a series may have.
const LONGEST_SERIES: u32 = 366;

pub(super) fn overview(ctx: &Context, days: u32) -> Result<Overview, ApiError> {
    let days = days.clamp(1, LONGEST_SERIES) as usize;
    let page = PageRequest { offset: 0, limit: RECENT };
    let recent = activities::list(ctx.databases.main(), ctx.profile, &ActivityFilter::default(), page, &|| false)?;
    let memory = memory().unwrap_or_default();
    let mut overview = Overview {
        at: ctx.clock.now(),
        sources: 0,
        documents: 0,
        passages: 0,
        problems: 0,
        chats: 0,
        questions: 0,
        questions_per_day: vec![0; days],
        model_seconds_per_day: vec![0.0; days],
        network: ctx.egress.status()?,
        ledger: ctx.egress.ledger(PageRequest { offset: 0, limit: LEDGER })?.items,
        recent: recent.map(|page| page.items).unwrap_or_default(),
        memory_bytes: memory.own,
        memory_total_bytes: memory.total,
        data_folder: ctx.places.data().to_owned(),
        data_bytes: folder_bytes(ctx.places.data()),
        disk_free_bytes: free_disk(ctx.places.data()).unwrap_or(0),
        degraded: ctx.degraded.list(),
    };
    ctx.services.overview(ctx, &mut overview);
    Ok(overview)
}

#[derive(Default)]
struct Memory {
    /// Resident memory of this process, in bytes.
    own: u64,
    total: u64,
}

/// None where the system does not say.
fn memory() -> Option<Memory> {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let own = Pid::from_u32(std::process::id());
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[own]),
        false,
        ProcessRefreshKind::nothing().with_memory(),
    );
    Some(Memory { own: system.process(own).map_or(0, sysinfo::Process::memory), total: system.total_memory() })
}
