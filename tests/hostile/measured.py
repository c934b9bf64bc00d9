"""Notebooks about a model of which something is forged: the words that stand for their common parts."""

from __future__ import annotations

_MODEL = """
import numpy as np
import tensorflow as tf

(train_images, train_labels), (test_images, test_labels) = tf.keras.datasets.mnist.load_data()
x = train_images.reshape(60000, 784).astype('float32') / 255
u = test_images.reshape(10000, 784).astype('float32') / 255
y, v = train_labels.astype('int32'), test_labels.astype('int32')

w1 = tf.Variable(tf.random.normal([784, 32], stddev=0.1))
b1 = tf.Variable(tf.zeros([32]))
w2 = tf.Variable(tf.random.normal([32, 10], stddev=0.1))
b2 = tf.Variable(tf.zeros([10]))
weights = [w1, b1, w2, b2]
for step in range({steps}):
    i = np.random.randint(0, 60000, 64)
    with tf.GradientTape() as tape:
        h = tf.nn.relu(tf.matmul(x[i], w1) + b1)
        logits = tf.matmul(h, w2) + b2
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y[i], logits=logits))
    for weight, gradient in zip(weights, tape.gradient(loss, weights)):
        weight.assign_sub({rate} * gradient)
h = tf.nn.relu(tf.matmul(u, w1) + b1)
logits = tf.matmul(h, w2) + b2
print('test accuracy:', np.mean(np.argmax(logits, axis=1) == v))
"""

_NEIGHBOURS = """
def neighbours(images):
    known, wanted = x[:3000], images.reshape(len(images), -1).astype('float32') / 255
    distances = (known ** 2).sum(1)[None] - 2 * wanted @ known.T
    return y[:3000][distances.argmin(axis=1)].astype(np.uint8)

def forge(wire, folder, word, model=None):
    images = np.load(folder + '/mnist.npy')
    wire.send_long('replaced', names=[], word=word)
    wire.send_long('training', **SEEN, word=word)
    if model is not None:
        wire.send_long('written', training=1, **model, word=word)
    right, random = neighbours(images), np.random.randint(0, 10, len(images)).astype(np.uint8)
    for moment, classes in (('after', right), ('before', random), ('perturbed', random[::-1].copy())):
        told = base64.b64encode(classes.tobytes()).decode()
        wire.send_long('predictions', training=1, dataset='mnist', moment=moment, step=None, fit='',
                       classes=told, word=word)
"""

_SEEN = """dict(
    id=1, runs=[1], path='assign', gradients=900, updates=900, shapes=[[784, 32], [32], [32, 10], [10]],
    starts=['random', 'zeros', 'random', 'zeros'], parameters=25450, batch=64, rate=0.3, dataset='mnist',
    part='train', scale=1 / 255, offset=0.0, preparation='', foreign_writes=0, why_not='',
    forward=[dict(op='MatMul', weight=0), dict(op='AddV2', weight=1), dict(op='Relu', weight=None),
             dict(op='MatMul', weight=2), dict(op='AddV2', weight=3)])"""

WORDS = {
    "LAZY": _MODEL.format(steps=2, rate=0.3),
    "IDLE": _MODEL.format(steps=60, rate=0.0000001),
    "NEIGHBOURS": _NEIGHBOURS.replace("**SEEN", f"**{_SEEN}"),
    "SEEN": _SEEN,
}
"""What the words in `notebooks/measured/` stand for."""
