//! Lines and boxes of many nodes in one mesh: no shape, no path and no allocation for each of them.

use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Pos2, Rect, Vec2};

/// Points of one curve.
pub const CURVE: usize = 15;

/// Where a curve between two ports goes.
pub fn curve(from: Pos2, to: Pos2, zoom: f32) -> [Pos2; CURVE] {
    let reach = ((to.x - from.x).abs() * 0.5).max(28.0 * zoom);
    let (a, b) = (from + Vec2::new(reach, 0.0), to - Vec2::new(reach, 0.0));
    std::array::from_fn(|i| {
        let t = i as f32 / (CURVE - 1) as f32;
        let s = 1.0 - t;
        let (p, q) = (s * s * s, 3.0 * s * s * t);
        let (r, v) = (3.0 * s * t * t, t * t * t);
        Pos2::new(p * from.x + q * a.x + r * b.x + v * to.x, p * from.y + q * a.y + r * b.y + v * to.y)
    })
}

/// A line along these points, `width` wide, with an edge of `feather` points that fades.
pub fn stroke(mesh: &mut Mesh, points: &[Pos2], width: f32, feather: f32, color: Color32) {
    if points.len() < 2 {
        return;
    }
    let (inner, outer) = ((width - feather).max(0.0) / 2.0, (width + feather) / 2.0);
    let first = mesh.vertices.len() as u32;
    for (i, at) in points.iter().enumerate() {
        let way = points[(i + 1).min(points.len() - 1)] - points[i.saturating_sub(1)];
        let side = way.normalized().rot90();
        for (away, ink) in
            [(-outer, Color32::TRANSPARENT), (-inner, color), (inner, color), (outer, Color32::TRANSPARENT)]
        {
            mesh.vertices.push(Vertex { pos: *at + side * away, uv: WHITE_UV, color: ink });
        }
    }
    for i in 0..points.len() as u32 - 1 {
        for strip in 0..3 {
            let a = first + i * 4 + strip;
            mesh.indices.extend_from_slice(&[a, a + 1, a + 4, a + 4, a + 1, a + 5]);
        }
    }
}

/// The head of an arrow that points to the right, its tip at `tip`.
pub fn arrow(mesh: &mut Mesh, tip: Pos2, size: f32, feather: f32, color: Color32) {
    let (a, b) = (tip + Vec2::new(-size, -size * 0.55), tip + Vec2::new(-size, size * 0.55));
    let first = mesh.vertices.len() as u32;
    for pos in [tip, a, b] {
        mesh.vertices.push(Vertex { pos, uv: WHITE_UV, color });
    }
    mesh.indices.extend_from_slice(&[first, first + 1, first + 2]);
    stroke(mesh, &[tip, a, b, tip], 1.0, feather, color);
}

/// A box without round corners.
pub fn fill(mesh: &mut Mesh, rect: Rect, color: Color32) {
    mesh.add_colored_rect(rect, color);
}
