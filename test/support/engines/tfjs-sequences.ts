import * as tf from "@tensorflow/tfjs-core";
import type { AttentionLayer, RecurrentLayer } from "@tutti/engine";
import type { Weights } from "./tfjs-engine.ts";

/** LSTM and GRU as docs/engine.md writes them, one step after another. */
export function tfjsCells(layer: RecurrentLayer, x: tf.Tensor, weights: Weights): tf.Tensor {
  const [batch = 0, length = 0] = x.shape;
  const [kernel, recurrent, bias] = [weights("kernel"), weights("recurrent-kernel"), weights("bias")];
  // One part is not split: its derivative would be a concat of nothing.
  const steps = (length === 1 ? [x] : tf.split(x, length, 1)).map((step) => tf.squeeze(step, [1]));
  let h: tf.Tensor = tf.zeros([batch, layer.units]);
  let c: tf.Tensor = tf.zeros([batch, layer.units]);
  const states: tf.Tensor[] = [];
  for (let t = 0; t < length; t++) {
    const input = tf.add(tf.matMul(steps[t] ?? x, kernel), bias);
    const state = tf.matMul(h, recurrent);
    if (layer.kind === "lstm") {
      const [i = h, f = h, g = h, o = h] = tf.split(tf.add(input, state), 4, -1);
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    } else {
      const [r = h, z = h, n = h] = tf.split(input, 3, -1);
      const [ofR = h, ofZ = h, ofN = h] = tf.split(tf.add(state, weights("recurrent-bias")), 3, -1);
      const keep = tf.sigmoid(tf.add(z, ofZ));
      const fresh = tf.tanh(tf.add(n, tf.mul(tf.sigmoid(tf.add(r, ofR)), ofN)));
      h = tf.add(tf.mul(tf.sub(1, keep), fresh), tf.mul(keep, h));
    }
    states.push(h);
  }
  return layer.returns === "last" ? h : tf.stack(states, 1);
}

type Dense = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, isTransposed: boolean) => tf.Tensor;

export function tfjsAttention({ heads, causal }: AttentionLayer, x: tf.Tensor, weights: Weights, dense: Dense): tf.Tensor {
  const [batch = 0, length = 0, width = 0] = x.shape;
  const qkv = dense(x, weights("qkv-kernel"), weights("qkv-bias"), false);
  const [q = x, k = x, v = x] = tf.split(qkv, 3, -1).map((part) => tf.transpose(tf.reshape(part, [batch, length, heads, width / heads]), [0, 2, 1, 3]));
  const scores = tf.div(tf.matMul(q, k, false, true), Math.sqrt(width / heads));
  const seen = tf.linalg.bandPart(tf.ones([length, length]), -1, causal ? 0 : -1);
  const mixed = tf.matMul(tf.softmax(tf.add(scores, tf.mul(1e9, tf.sub(seen, 1)))), v);
  return dense(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, length, width]), weights("output-kernel"), weights("output-bias"), false);
}
