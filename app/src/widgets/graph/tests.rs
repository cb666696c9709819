//! Properties of layout and of the circle check; what pointer and keyboard do.

use egui::{Key, Modifiers, PointerButton, Rect, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use proptest::prelude::*;

use super::*;
use crate::design;

/// Edges that all go from a lower to a higher number: no circle.
fn acyclic() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    (1_usize..40).prop_flat_map(|count| {
        let pair = (0..count, 0..count).prop_map(|(a, b)| (a.min(b), a.max(b)));
        (
            Just(count),
            prop::collection::vec(pair, 0..80).prop_map(|all| all.into_iter().filter(|(a, b)| a != b).collect()),
        )
    })
}

fn any_graph() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    (1_usize..12).prop_flat_map(|count| (Just(count), prop::collection::vec((0..count, 0..count), 0..30)))
}

/// Whether it has a circle, by taking away what nothing leads to, until nothing changes.
fn has_circle(count: usize, edges: &[(usize, usize)]) -> bool {
    let mut left: Vec<usize> = (0..count).collect();
    loop {
        let before = left.len();
        let still = left.clone();
        left.retain(|node| edges.iter().any(|(a, b)| b == node && still.contains(a)));
        if left.len() == before {
            return !left.is_empty();
        }
    }
}

proptest! {
    #[test]
    fn no_box_lies_on_another_and_every_edge_goes_to_the_right((count, edges) in acyclic()) {
        let places = layout::places(count, &edges);
        prop_assert_eq!(places.len(), count);
        for (at, a) in places.iter().enumerate() {
            prop_assert!(a.x >= 0.0 && a.y >= 0.0);
            for b in &places[at + 1..] {
                let (a, b) = (Rect::from_min_size(*a, layout::NODE), Rect::from_min_size(*b, layout::NODE));
                prop_assert!(!a.shrink(0.5).intersects(b.shrink(0.5)), "{a:?} {b:?}");
            }
        }
        for (from, to) in &edges {
            prop_assert!(places[*from].x + layout::NODE.x < places[*to].x);
        }
        prop_assert_eq!(&places, &layout::places(count, &edges));
    }

    #[test]
    fn circles_are_laid_out_too((count, edges) in any_graph()) {
        prop_assert_eq!(layout::places(count, &edges).len(), count);
    }

    #[test]
    fn an_edge_is_refused_exactly_when_it_closes_a_circle((count, edges) in acyclic(), from in 0_usize..40, to in 0_usize..40) {
        let (from, to) = (from % count, to % count);
        let mut more = edges.clone();
        more.push((from, to));
        let found = cycle::closed_by(count, &edges, from, to);
        prop_assert_eq!(found.is_some(), has_circle(count, &more));
        if let Some(way) = found {
            prop_assert_eq!((way[0], way[way.len() - 1]), (to, from));
            for pair in way.windows(2) {
                prop_assert!(edges.contains(&(pair[0], pair[1])));
            }
        }
    }
}

#[test]
fn what_waits_for_nothing_new_stays_where_it_was() {
    let edges = [(0, 1), (1, 2), (1, 3)];
    let before = layout::places(4, &edges);
    let after = layout::places(5, &[(0, 1), (1, 2), (1, 3), (2, 4)]);
    assert_eq!(before[..], after[..4]);
    // A chain is a straight line.
    let chain = layout::places(3, &[(0, 1), (1, 2)]);
    assert!(chain.iter().all(|place| place.y == chain[0].y));
}

struct Stage {
    view: GraphView,
    events: Vec<GraphEvent>,
}

const AREA: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(800.0, 400.0) };

fn node(title: &str) -> Node {
    Node {
        title: title.to_owned(),
        detail: "Reviewer".to_owned(),
        right: "1".to_owned(),
        icon: Icon::Robot,
        tone: Tone::Neutral,
        strong: false,
        name: format!("Step {title}"),
    }
}

/// Syntax → Logic, and Security beside them.
fn harness() -> Harness<'static, Stage> {
    let mut view = GraphView::default();
    let edges = vec![Edge { from: 0, to: 1, tone: Tone::Neutral }];
    let places = vec![pos2(0.0, 0.0), pos2(240.0, 0.0), pos2(240.0, 120.0)];
    view.set(vec![node("Syntax"), node("Logic"), node("Security")], edges, places);
    let stage = Stage { view, events: Vec::new() };
    let mut harness = Harness::builder().with_size(AREA.size()).with_context_setup(design::install).build_ui_state(
        |ui: &mut egui::Ui, stage: &mut Stage| {
            let events = stage.view.show(ui, Id::unique("graph"), AREA, "Steps", true);
            for event in &events {
                if let GraphEvent::Chosen(part) = event {
                    stage.view.choose(*part);
                }
            }
            stage.events.extend(events);
        },
        stage,
    );
    harness.run();
    harness
}

fn drag(harness: &mut Harness<'static, Stage>, from: egui::Pos2, to: egui::Pos2) {
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    harness.event(egui::Event::PointerMoved(from));
    harness.step();
    harness.event(button(from, true));
    harness.step();
    for share in [0.2, 0.6, 1.0] {
        harness.event(egui::Event::PointerMoved(from + (to - from) * share));
        harness.step();
    }
    harness.event(button(to, false));
    harness.step();
    harness.step();
}

fn on_screen(harness: &Harness<'static, Stage>, at: usize) -> Rect {
    harness.state().view.on_screen(AREA, at)
}

#[test]
fn a_box_is_dragged_and_an_arrow_is_drawn_from_its_port() {
    let mut harness = harness();
    let (from, before) = (on_screen(&harness, 2).center(), harness.state().view.places()[2]);
    drag(&mut harness, from, from + vec2(40.0, 24.0));
    assert_eq!(harness.state().events, [GraphEvent::Moved(2, before + vec2(40.0, 24.0))]);
    harness.state_mut().events.clear();
    let (port, target) = (on_screen(&harness, 0).right_center(), on_screen(&harness, 2).center());
    drag(&mut harness, port, target);
    assert_eq!(harness.state().events, [GraphEvent::Connected(0, 2)]);
    // Beside all boxes the view is moved, not a box.
    harness.state_mut().events.clear();
    let places = harness.state().view.places().to_vec();
    let before = on_screen(&harness, 0);
    drag(&mut harness, pos2(60.0, 360.0), pos2(100.0, 350.0));
    assert_eq!(harness.state().view.places(), places);
    assert_eq!(on_screen(&harness, 0).min - before.min, vec2(40.0, -10.0));
    assert!(harness.state().events.is_empty());
}

#[test]
fn boxes_and_arrows_are_chosen_and_deleted_with_the_keyboard_alone() {
    let mut harness = harness();
    harness.get_by_label("Steps: 3 steps, 1 connection").focus();
    harness.run();
    let chosen = |harness: &Harness<'static, Stage>| harness.state().view.chosen;
    harness.key_press(Key::ArrowRight);
    harness.run();
    assert_eq!(chosen(&harness), Some(Part::Node(0)));
    harness.key_press(Key::ArrowRight);
    harness.run();
    assert_eq!(chosen(&harness), Some(Part::Node(1)));
    harness.key_press(Key::ArrowDown);
    harness.run();
    assert_eq!(chosen(&harness), Some(Part::Node(2)));
    harness.key_press(Key::Delete);
    harness.run();
    assert_eq!(harness.state().events.last(), Some(&GraphEvent::Delete(Part::Node(2))));
    harness.get_by_label("Connection from Syntax to Logic").click();
    harness.run();
    assert_eq!(chosen(&harness), Some(Part::Edge(0)));
    harness.key_press(Key::Delete);
    harness.run();
    assert_eq!(harness.state().events.last(), Some(&GraphEvent::Delete(Part::Edge(0))));
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(chosen(&harness), None);
}

#[test]
fn zooming_keeps_what_is_under_the_pointer_and_fit_shows_all() {
    let mut harness = harness();
    let before = on_screen(&harness, 0);
    for _ in 0..12 {
        harness.get_by_label("Zoom out").click();
        harness.run();
    }
    assert!(on_screen(&harness, 0).width() < before.width() / 4.0);
    harness.get_by_label("Show all").click();
    harness.run();
    for at in 0..3 {
        assert!(AREA.contains_rect(on_screen(&harness, at)));
    }
}
