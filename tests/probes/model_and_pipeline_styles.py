"""Models, pipelines and compiled functions to be told of: one style a function, as in the other modules."""

import numpy as np
import tensorflow as tf
from stage import BATCH, IMAGES, TRAINED, batches, cross_entropy, forward, new_weights, scaled, x, y

layers = tf.keras.layers
crisp_loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def trained_a_little(net, steps=3):
    optimizer = tf.keras.optimizers.Adam(0.01)
    for images, labels in batches(IMAGES[:TRAINED, ..., None], steps):
        with tf.GradientTape() as tape:
            loss = crisp_loss(labels, net(images, training=True))
        changes = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(changes, net.trainable_variables, strict=True))
    return lambda images: net(images[..., None])


def dense_block_of_layers():
    """Concatenations in a functional model, a part of it a nested model that is used twice."""
    inputs = tf.keras.Input((28, 28, 1))
    padded = layers.ZeroPadding2D(((1, 1), (0, 2)))(layers.Rescaling(1 / 255)(inputs))
    out = layers.Conv2D(2, 3, strides=3, name="first")(padded)
    for _ in range(2):
        out = layers.Concatenate()([out, layers.Conv2D(2, 3, padding="same", activation="relu")(out)])
    inner = tf.keras.Sequential([layers.AveragePooling2D(2), layers.Dropout(0.1)], name="inner")
    out = layers.Add()([inner(out), inner(out)])
    return trained_a_little(tf.keras.Model(inputs, layers.Dense(10)(layers.Flatten()(out)), name="dense"))


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.convolutions = [layers.Conv2D(2, 3, padding="same") for _ in range(2)]

    @tf.function
    def call(self, out):
        for convolution in self.convolutions:
            out = tf.concat([out, convolution(out)], axis=-1)
        return out


def dense_block_in_a_layer():
    """Concatenations in a `tf.function` that only running the model tells of, beside a functional model."""
    image = tf.keras.Input((28, 28, 1))
    doubled = tf.keras.Model(image, layers.Add()([image, image]))
    parts = [layers.Rescaling(1 / 255), layers.MaxPooling2D(4), Block(), layers.Flatten(), layers.Dense(10)]
    return trained_a_little(tf.keras.Sequential([tf.keras.Input((28, 28, 1)), doubled, *parts]))


def pipelines_of_many_parts():
    """Drawn from without any training."""
    numbers = tf.data.Dataset.range(10).shuffle(5, seed=3, reshuffle_each_iteration=False).repeat(2)
    for _ in numbers.batch(4, drop_remainder=True).take(3):
        pass

    def words():
        yield [1, 2]
        yield [3]

    spec = tf.TensorSpec([None], tf.int32)
    padded = tf.data.Dataset.from_generator(words, output_signature=spec).padded_batch(2)
    pairs = tf.data.Dataset.zip((padded, tf.data.Dataset.from_tensors(np.float64(2.5)).cache()))
    next(iter(pairs.map(lambda word, number: (word + 1, number)).prefetch(1)))


def pipeline_gone_over_in_a_graph():
    """A `tf.function` goes over a whole pipeline, and another one takes from an iterator."""
    weights = new_weights()
    data = tf.data.Dataset.from_tensor_slices((x[:400], y[:400])).shuffle(100).batch(BATCH)

    def change(images, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels, forward(images, weights)))
        for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.3 * change)

    @tf.function
    def whole_epoch():
        for images, labels in data:
            change(images, labels)

    whole_epoch()
    return lambda images: forward(scaled(images), weights)


def changed_by(weights, images, labels):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(cross_entropy(labels, forward(images, weights)))
    for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
        weight.assign_sub(0.3 * change)


def data_set_given_to_a_graph():
    """A `tf.function` goes over a data set that it is given."""
    weights = new_weights()
    data = tf.data.Dataset.from_tensor_slices((x[:400], y[:400])).shuffle(70).batch(BATCH)

    @tf.function
    def whole_epoch(given):
        for images, labels in given:
            changed_by(weights, images, labels)

    whole_epoch(data)
    return lambda images: forward(scaled(images), weights)


def iterator_given_to_a_graph():
    """A `tf.function` takes from an iterator that it is given."""
    weights = new_weights()
    data = tf.data.Dataset.from_tensor_slices((x[:400], y[:400])).shuffle(80).batch(BATCH)

    @tf.function
    def one_step(given):
        images, labels = next(given)
        changed_by(weights, images, labels)

    batches_of_data = iter(data)
    for _ in range(5):
        one_step(batches_of_data)
    return lambda images: forward(scaled(images), weights)


def functions_of_all_kinds():
    """Traced again for each Python number; once for tensors; as plain Python."""

    @tf.function
    def added(value, also):
        return value + also

    for number in (1, 2, 3):
        added(tf.constant([1.0]), number)
    for number in (1.0, 2.0, 3.0):
        added(tf.constant([1.0]), tf.constant(number))
    tf.config.run_functions_eagerly(True)
    added(tf.constant([1.0]), 4)
    tf.config.run_functions_eagerly(False)


STYLES = (
    *(dense_block_of_layers, dense_block_in_a_layer, pipelines_of_many_parts),
    *(pipeline_gone_over_in_a_graph, data_set_given_to_a_graph, iterator_given_to_a_graph),
    functions_of_all_kinds,
)
