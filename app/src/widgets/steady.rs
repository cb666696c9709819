//! Whether something has been in the same place for a moment: a click or a key that was meant for what stood there before
//! must not answer what has just appeared.

use egui::{Id, Key, Rect, Ui};

/// Seconds.
pub const MOMENT: f64 = 0.5;

#[derive(Clone, Copy)]
struct Seen {
    since: f64,
    frame: u64,
    at: Rect,
}

/// True once `id` was drawn at `at` in each frame for half a second, and no key that presses was held meanwhile.
pub fn steady(ui: &Ui, id: Id, at: Rect) -> bool {
    let ctx = ui.ctx();
    let frame = ctx.cumulative_frame_nr();
    let (now, held) = ctx.input(|input| {
        let held = input.key_down(Key::Enter) || input.key_down(Key::Space);
        (input.time, held)
    });
    let known = ctx.data(|data| data.get_temp::<Seen>(id));
    let kept = known.filter(|seen| {
        let moved = (seen.at.min - at.min).length() > 3.0;
        seen.frame + 1 >= frame && !moved
    });
    let since = match kept {
        // A key that is held since before presses nothing here.
        Some(seen) if now - seen.since < MOMENT && held => now,
        Some(seen) => seen.since,
        None => now,
    };
    let at = kept.map_or(at, |seen| seen.at);
    ctx.data_mut(|data| data.insert_temp(id, Seen { since, frame, at }));
    let left = since + MOMENT - now;
    if left > 0.0 {
        ctx.request_repaint_after(std::time::Duration::from_secs_f64(left));
    }
    left <= 0.0
}
