import { addNumbers, addProducts, copyNumbers } from "./loops";
import { at, loadPart, splat, storePart } from "./vectors";

/** Positions of the window's row that lie inside: [from, to) of `windowWidth`. */
@inline
function firstInside(start: i32): i32 {
  return max(0, -start);
}

@inline
function endInside(start: i32, extent: i32, window: i32): i32 {
  return max(firstInside(start), min(window, extent - start));
}

export function unfold(x: i32, columns: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  const rowNumbers = windowWidth * channels;
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      const start = ox * strideWidth - left;
      const from = firstInside(start), to = endInside(start, width, windowWidth);
      for (let wy = 0; wy < windowHeight; wy++, columns += rowNumbers) {
        const row = oy * strideHeight - top + wy;
        const isOutside = <u32>row >= <u32>height;
        if (isOutside || from > 0 || to < windowWidth) memory.fill(at(columns), 0, rowNumbers << 2);
        if (!isOutside) copyNumbers((to - from) * channels, at(x + (row * width + start + from) * channels), at(columns + from * channels));
      }
    }
  }
}

export function foldAdd(columns: i32, dx: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  const rowNumbers = windowWidth * channels;
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      const start = ox * strideWidth - left;
      const from = firstInside(start), to = endInside(start, width, windowWidth);
      for (let wy = 0; wy < windowHeight; wy++, columns += rowNumbers) {
        const row = oy * strideHeight - top + wy;
        if (<u32>row < <u32>height) addNumbers((to - from) * channels, at(columns + from * channels), at(dx + (row * width + start + from) * channels));
      }
    }
  }
}

export function maxPool(x: i32, y: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      const startY = oy * strideHeight - top, startX = ox * strideWidth - left;
      const fromX = firstInside(startX), toX = endInside(startX, width, windowWidth);
      const fromY = firstInside(startY), toY = endInside(startY, height, windowHeight);
      for (let c = 0; c < channels; c += 4) {
        let most = splat(-Infinity);
        for (let wy = fromY; wy < toY; wy++) {
          let p = at(x + ((startY + wy) * width + startX + fromX) * channels + c);
          for (let wx = fromX; wx < toX; wx++, p += channels << 2) most = f32x4.max(most, v128.load(p));
        }
        const q = at(y + (oy * outputWidth + ox) * channels + c);
        if (channels - c >= 4) v128.store(q, most);
        else storePart(q, most, channels - c);
      }
    }
  }
}

export function maxPoolBackward(x: i32, y: i32, dy: i32, dx: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      const startY = oy * strideHeight - top, startX = ox * strideWidth - left;
      const fromX = firstInside(startX), toX = endInside(startX, width, windowWidth);
      const fromY = firstInside(startY), toY = endInside(startY, height, windowHeight);
      const output = (oy * outputWidth + ox) * channels;
      for (let c = 0; c < channels; c += 4) {
        const most = v128.load(at(y + output + c));
        // The gradient that no earlier position of the window has taken.
        let left4 = v128.load(at(dy + output + c));
        for (let wy = fromY; wy < toY; wy++) {
          let source = ((startY + wy) * width + startX + fromX) * channels + c;
          for (let wx = fromX; wx < toX; wx++, source += channels) {
            const takes = f32x4.eq(v128.load(at(x + source)), most);
            const taken = v128.and(left4, takes);
            left4 = v128.andnot(left4, takes);
            const q = at(dx + source);
            if (channels - c >= 4) v128.store(q, f32x4.add(v128.load(q), taken));
            else storePart(q, f32x4.add(loadPart(q, channels - c), taken), channels - c);
          }
        }
      }
    }
  }
}

export function averagePool(x: i32, y: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      const startY = oy * strideHeight - top, startX = ox * strideWidth - left;
      const fromX = firstInside(startX), toX = endInside(startX, width, windowWidth);
      const fromY = firstInside(startY), toY = endInside(startY, height, windowHeight);
      const share = splat(1 / f32((toX - fromX) * (toY - fromY)));
      for (let c = 0; c < channels; c += 4) {
        let sum = splat(0);
        for (let wy = fromY; wy < toY; wy++) {
          let p = at(x + ((startY + wy) * width + startX + fromX) * channels + c);
          for (let wx = fromX; wx < toX; wx++, p += channels << 2) sum = f32x4.add(sum, v128.load(p));
        }
        const q = at(y + (oy * outputWidth + ox) * channels + c);
        if (channels - c >= 4) v128.store(q, f32x4.mul(sum, share));
        else storePart(q, f32x4.mul(sum, share), channels - c);
      }
    }
  }
}

export function averagePoolBackward(dy: i32, dx: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      const startY = oy * strideHeight - top, startX = ox * strideWidth - left;
      const fromX = firstInside(startX), toX = endInside(startX, width, windowWidth);
      const fromY = firstInside(startY), toY = endInside(startY, height, windowHeight);
      const share = splat(1 / f32((toX - fromX) * (toY - fromY)));
      for (let c = 0; c < channels; c += 4) {
        const part = f32x4.mul(share, v128.load(at(dy + (oy * outputWidth + ox) * channels + c)));
        for (let wy = fromY; wy < toY; wy++) {
          let q = at(dx + ((startY + wy) * width + startX + fromX) * channels + c);
          for (let wx = fromX; wx < toX; wx++, q += channels << 2) {
            if (channels - c >= 4) v128.store(q, f32x4.add(v128.load(q), part));
            else storePart(q, f32x4.add(loadPart(q, channels - c), part), channels - c);
          }
        }
      }
    }
  }
}

/** Visits the taps that lie inside: per position and tap, y ← y + x·w over the channels, by addresses that `role` puts in order. */
@inline
function eachProduct(role: i32, x: i32, w: i32, y: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      const startY = oy * strideHeight - top, startX = ox * strideWidth - left;
      const fromX = firstInside(startX), toX = endInside(startX, width, windowWidth);
      const fromY = firstInside(startY), toY = endInside(startY, height, windowHeight);
      const output = at(y + (oy * outputWidth + ox) * channels);
      for (let wy = fromY; wy < toY; wy++) {
        let source = at(x + ((startY + wy) * width + startX + fromX) * channels);
        let weight = at(w + (wy * windowWidth + fromX) * channels);
        for (let wx = fromX; wx < toX; wx++, source += <usize>channels << 2, weight += <usize>channels << 2) {
          if (role == 0) addProducts(channels, source, weight, output);
          else if (role == 1) addProducts(channels, output, weight, source);
          else addProducts(channels, source, output, weight);
        }
      }
    }
  }
}

export function depthwise(x: i32, w: i32, y: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  eachProduct(0, x, w, y, height, width, channels, windowHeight, windowWidth, strideHeight, strideWidth, top, left, outputHeight, outputWidth);
}

export function depthwiseInput(dy: i32, w: i32, dx: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  eachProduct(1, dx, w, dy, height, width, channels, windowHeight, windowWidth, strideHeight, strideWidth, top, left, outputHeight, outputWidth);
}

export function depthwiseKernel(x: i32, dy: i32, dw: i32, height: i32, width: i32, channels: i32, windowHeight: i32, windowWidth: i32, strideHeight: i32, strideWidth: i32, top: i32, left: i32, outputHeight: i32, outputWidth: i32): void {
  eachProduct(2, x, dw, dy, height, width, channels, windowHeight, windowWidth, strideHeight, strideWidth, top, left, outputHeight, outputWidth);
}
