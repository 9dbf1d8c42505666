//! The circle of colours turned.

use crate::Picture;

/// Turns the hue of each pixel by `share` of the circle, −0.5 to 0.5, over hue, saturation and value in bytes. A grey
/// image stays as it is.
pub(crate) fn hue(picture: &mut Picture<'_>, share: f64) {
    if picture.shape[0] != 3 {
        return;
    }
    let turn = (share * 255.0) as i32 as u8;
    let area = picture.shape[1] * picture.shape[2];
    let pixels = picture.pixels.to_mut();
    for at in 0..area {
        let [hue, saturation, value] = to_hsv([pixels[at], pixels[area + at], pixels[2 * area + at]]);
        let turned = to_rgb([hue.wrapping_add(turn), saturation, value]);
        for (channel, byte) in turned.into_iter().enumerate() {
            pixels[channel * area + at] = byte;
        }
    }
}

/// Where PIL computes in C's float and double, so does this.
fn to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most == least {
        return [0, 0, most];
    }
    let range = f32::from(most - least);
    let below = |value: u8| f32::from(most - value) / range;
    let sixth = match most {
        _ if red == most => below(blue) - below(green),
        _ if green == most => (2.0 + f64::from(below(red)) - f64::from(below(blue))) as f32,
        _ => (4.0 + f64::from(below(green)) - f64::from(below(red))) as f32,
    };
    let hue = ((f64::from(sixth) / 6.0 + 1.0) % 1.0) as f32;
    let saturation = range / f32::from(most);
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, most]
}

fn to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let sector = sixths.floor();
    let rest = f64::from((sixths - sector) as f32);
    let saturation = f64::from((f64::from(saturation) / 255.0) as f32);
    let less = |share: f64| (f64::from(value) * (1.0 - share)).round() as u8;
    let (low, falling, rising) = (less(saturation), less(saturation * rest), less(saturation * (1.0 - rest)));
    match sector as u8 % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}
