// Spots are discs with an edge one pixel soft.

// Share of a pixel that a disc covers, by the distance of the pixel's center.
fn disc_share(distance: f32, radius: f32) -> f32 {
    return clamp(radius + 0.5 - distance, 0.0, 1.0);
}

// The same for a ring one pixel wide along the edge.
fn ring_share(distance: f32, radius: f32) -> f32 {
    return clamp(1.0 - abs(distance - radius + 0.5), 0.0, 1.0);
}

fn spot_share(is_ring: bool, distance: f32, radius: f32) -> f32 {
    if is_ring {
        return ring_share(distance, radius);
    }
    return disc_share(distance, radius);
}
