"""Trainings of Keras models: one style a function, each returns its model, for images as they are."""

import numpy as np
import tensorflow as tf
from stage import (
    BATCH,
    COLOURED,
    COLOURED_LABELS,
    IMAGES,
    TRAINED,
    batches,
    cross_entropy,
    on_colours,
    scaled,
    x,
    y,
)

layers = tf.keras.layers
crisp_loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def keras_net(*extra):
    return tf.keras.Sequential(
        [
            tf.keras.layers.Input((28, 28)),
            tf.keras.layers.Rescaling(1 / 255),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(24, activation="relu"),
            *extra,
            tf.keras.layers.Dense(10),
        ]
    )


def keras_layers():
    net, optimizer = keras_net(), tf.keras.optimizers.SGD(0.3)
    for images, labels in batches(IMAGES[:1600]):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=net(images, training=True)))
        changes = tape.gradient(loss, net.trainable_variables)
        optimizer.apply(changes, net.trainable_variables)
    return net


def keras_fit():
    net = keras_net()
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(tf.keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    net.fit(IMAGES[:1600], y, epochs=2, batch_size=BATCH, verbose=0)
    return net


def keras_fit_softmax():
    net = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(24, activation="relu"),
            tf.keras.layers.BatchNormalization(),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )
    net.compile("adam", "sparse_categorical_crossentropy", jit_compile=True)
    net.fit(x, y, epochs=2, batch_size=50, verbose=0)
    return lambda images: net(scaled(images), training=False)


def functional_in_a_compiled_step():
    """Convolutions, batch normalisation, dropout; a pipeline that scales; labels of shape (n, 1)."""
    inputs = tf.keras.Input((28, 28, 1))
    out = layers.Conv2D(4, 3, strides=2, activation="relu")(inputs)
    out = layers.BatchNormalization(momentum=0.7)(out)
    out = layers.Dropout(0.2)(layers.Flatten()(out))
    net = tf.keras.Model(inputs, layers.Dense(10, activation="softmax")(out))
    optimizer, loss_of = tf.keras.optimizers.Adam(0.01), tf.keras.losses.SparseCategoricalCrossentropy()
    data = tf.data.Dataset.from_tensor_slices((IMAGES[:TRAINED, ..., None], y[:, None]))
    data = data.map(lambda image, label: (tf.cast(image, tf.float32) / 255.0, label)).batch(BATCH).prefetch(1)

    @tf.function
    def train_step(images, labels):
        with tf.GradientTape() as tape:
            predictions = net(images, training=True)
            loss = loss_of(labels, predictions)
        changes = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(changes, net.trainable_variables, strict=True))
        return loss

    for images, labels in data:
        train_step(images, labels)
    return lambda images: net(images[..., None] / np.float32(255))


class Augmenting(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.augment = tf.keras.Sequential([layers.RandomTranslation(0.1, 0.1), layers.GaussianNoise(0.05)])
        self.scale = layers.Rescaling(1 / 127.5, offset=-1)
        self.body = [layers.Flatten(), layers.Dense(24, activation="relu"), layers.Dropout(0.1)]
        self.head = layers.Dense(10)

    def call(self, images, training=False):
        out = self.scale(images)
        if training:
            out = self.augment(out[..., None], training=training)
        for layer in self.body:
            out = layer(out, training=training) if isinstance(layer, layers.Dropout) else layer(out)
        return self.head(out)


def subclassed_with_augmentation():
    """Eager, with one-hot labels and layers that alter the images in training."""
    net, optimizer = Augmenting(), tf.keras.optimizers.Adam(0.01)
    for images, labels in batches(IMAGES[:TRAINED], 20):
        with tf.GradientTape() as tape:
            logits = net(images, training=True)
            told = tf.one_hot(labels, 10)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=told, logits=logits))
        changes = tape.gradient(loss, net.trainable_weights)
        optimizer.apply_gradients(zip(changes, net.trainable_weights, strict=True))
    return net


class OwnStep(tf.keras.Model):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def call(self, images, training=None):
        return self.net(images, training=training)

    def train_step(self, data):
        images, labels = data
        with tf.GradientTape() as tape:
            loss = crisp_loss(labels, self(images, training=True))
        changes = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(changes, self.trainable_variables, strict=True))
        return {"loss": loss}


def own_train_step():
    net = OwnStep(keras_net())
    net.compile(optimizer="adam")
    data = tf.data.Dataset.from_tensor_slices((IMAGES[:TRAINED], y)).shuffle(500).batch(BATCH)
    net.fit(data, epochs=1, verbose=0)
    return net


def second_input_is_a_constant():
    image, strength = tf.keras.Input((784,)), tf.keras.Input((1,))
    out = layers.Dense(24, activation="relu")(image)
    net = tf.keras.Model([image, strength], layers.Dense(10)(layers.Multiply()([out, strength])))
    optimizer = tf.keras.optimizers.SGD(0.2)
    for images, labels in batches(x, 20):
        with tf.GradientTape() as tape:
            loss = crisp_loss(labels, net([images, np.full((BATCH, 1), 0.5, np.float32)]))
        changes = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(changes, net.trainable_variables, strict=True))
    return lambda images: net([scaled(images), np.full((len(images), 1), 0.5, np.float32)])


def second_input_changes():
    image, other = tf.keras.Input((784,)), tf.keras.Input((3,))
    out = layers.Concatenate()([layers.Dense(24, activation="relu")(image), other])
    net = tf.keras.Model([image, other], layers.Dense(10)(out))
    optimizer = tf.keras.optimizers.SGD(0.2)
    for images, labels in batches(x, 10):
        with tf.GradientTape() as tape:
            other = np.random.default_rng(0).normal(size=(BATCH, 3)).astype(np.float32)
            loss = crisp_loss(labels, net([images, other]))
        changes = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(changes, net.trainable_variables, strict=True))
    return lambda images: net([scaled(images), np.zeros((len(images), 3), np.float32)])


@on_colours
def coloured_images():
    """Standardised by channel, labels of shape (n, 1), Keras's `fit` with a validation set."""
    net = tf.keras.Sequential(
        [
            layers.Conv2D(6, 5, strides=3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    pixels = COLOURED[:TRAINED].astype("float32")
    mean, deviation = pixels.mean(axis=(0, 1, 2)), pixels.std(axis=(0, 1, 2))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    told = COLOURED_LABELS[:TRAINED, None]
    net.fit((pixels - mean) / deviation, told, batch_size=BATCH, verbose=0, validation_split=0.1)
    return lambda images: net((images - mean) / deviation)


@on_colours
def coloured_images_without_a_model():
    """A convolution whose kernel is a plain variable, raw pixels."""
    kernel = tf.Variable(tf.random.normal([5, 5, 3, 6], stddev=0.01))
    head = tf.Variable(tf.random.normal([6 * 100, 10], stddev=0.01))

    def net(images):
        out = tf.nn.relu(tf.nn.conv2d(images, kernel, strides=3, padding="VALID"))
        return tf.reshape(out, [images.shape[0], -1]) @ head

    for images, labels in batches(COLOURED[:TRAINED].astype(np.float32), 20, COLOURED_LABELS):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=net(images)))
        d_kernel, d_head = tape.gradient(loss, [kernel, head])
        kernel.assign_sub(1e-5 * d_kernel)
        head.assign_sub(1e-5 * d_head)
    return lambda images: net(images.astype(np.float32))


def encoder_and_head():
    """Two models in one tape: none owns all that is trained."""
    encoder = tf.keras.Sequential([layers.Dense(24), layers.BatchNormalization(), layers.ReLU()])
    head, optimizer = tf.keras.Sequential([layers.Dense(10)]), tf.keras.optimizers.Adam(0.01)
    for images, labels in batches(x, 20):
        with tf.GradientTape() as tape:
            loss = crisp_loss(labels, head(encoder(images, training=True)))
        trained = encoder.trainable_variables + head.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, trained), trained, strict=True))

    def net(images):
        parts = np.split(scaled(images), len(images) // BATCH)
        return np.concatenate([head(encoder(part, training=True)) for part in parts])

    return net


def layers_one_by_one():
    """Keras layers in a list, with a function over them and a decorated step; no model."""
    parts = [layers.Dense(24, "tanh"), layers.Dense(10)]
    optimizer = tf.keras.optimizers.SGD(0.3)

    def net(images):
        for part in parts:
            images = part(images)
        return images

    net(tf.zeros([1, 784]))
    trained = [variable for part in parts for variable in part.trainable_variables]
    optimizer.build(trained)

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = crisp_loss(labels, net(images))
        optimizer.apply_gradients(zip(tape.gradient(loss, trained), trained, strict=True))

    for images, labels in batches(x, 20):
        step(tf.constant(images), tf.constant(labels))
    return lambda images: net(scaled(images))


class OwnVariables(tf.keras.Model):
    """Plain variables as attributes, which Keras 3 does not count among a model's weights."""

    def __init__(self):
        super().__init__()
        self.w, self.b = tf.Variable(tf.random.normal([784, 10], stddev=0.05)), tf.Variable(tf.zeros([10]))

    def call(self, images):
        return images @ self.w + self.b


def model_with_plain_variables():
    net = OwnVariables()
    for images, labels in batches(x, 20):
        with tf.GradientTape() as tape:
            loss = crisp_loss(labels, net(images))
        d, e = tape.gradient(loss, [net.w, net.b])
        net.w.assign_sub(0.3 * d)
        net.b.assign_sub(0.3 * e)
    return lambda images: net(scaled(images))


def best_weights_put_back():
    """An early stop gives the weights of an earlier epoch back, and a part of the data tells when."""
    net = keras_net()
    net.compile(tf.keras.optimizers.Adam(0.03), crisp_loss, metrics=["accuracy"])
    stop = tf.keras.callbacks.EarlyStopping("val_loss", patience=0, restore_best_weights=True)
    held_back = (IMAGES[TRAINED:], np.arange(len(IMAGES) - TRAINED) % 10)  # never learnt: it stops at once
    net.fit(
        IMAGES[:TRAINED],
        y,
        batch_size=80,
        epochs=6,
        callbacks=[stop],
        validation_data=held_back,
        verbose=0,
    )
    return net


def batch_by_batch():
    net = keras_net(layers.Dropout(0.2))
    net.compile("sgd", crisp_loss)
    for images, labels in batches(IMAGES[:TRAINED], 20):
        net.train_on_batch(images, labels)
    return net


def frozen_first_layer():
    """A first training of all layers, then one of the last layer only."""
    net = keras_net()
    for trained, steps in ((net.trainable_variables, 20), (net.layers[-1].trainable_variables, 15)):
        optimizer = tf.keras.optimizers.SGD(0.2)
        for images, labels in batches(IMAGES[:TRAINED], steps):
            with tf.GradientTape() as tape:
                loss = crisp_loss(labels, net(images, training=True))
            optimizer.apply_gradients(zip(tape.gradient(loss, trained), trained, strict=True))
    return net


def padded_to_another_size():
    """28 × 28 in grey made 32 × 32 in three channels, as for a network made for photographs."""

    def prepared(images):
        padded = tf.pad(tf.cast(images, tf.float32) / 255.0, [[0, 0], [2, 2], [2, 2]])
        return tf.repeat(padded[..., None], 3, axis=-1)

    net = tf.keras.Sequential([layers.Conv2D(4, 3, strides=4, activation="relu"), layers.Flatten()])
    net.add(layers.Dense(10))
    net.compile("adam", crisp_loss)
    data = tf.data.Dataset.from_tensor_slices((IMAGES[:TRAINED], y)).batch(BATCH)
    net.fit(data.map(lambda images, labels: (prepared(images), labels)), verbose=0)
    return lambda images: net(prepared(images))


def flipped_at_random():
    """The pipeline mirrors every second image."""
    net = keras_net()
    net.compile("adam", crisp_loss)
    data = tf.data.Dataset.from_tensor_slices((IMAGES[:TRAINED, ..., None], y))
    data = data.map(lambda image, label: (tf.image.random_flip_left_right(image)[..., 0], label))
    net.fit(data.batch(BATCH), verbose=0)
    return net


def evaluated_on_another_scale():
    net = keras_net()
    net.compile("adam", crisp_loss, metrics=["accuracy"])
    net.fit(IMAGES[:TRAINED], y, batch_size=BATCH, verbose=0)
    net.evaluate(IMAGES[TRAINED:] / 255.0, np.zeros(len(IMAGES) - TRAINED), verbose=0)
    return lambda images: net(images / 255.0)


def called_in_training_mode_at_test():
    net, optimizer = keras_net(layers.Dropout(0.5)), tf.keras.optimizers.Adam(0.01)
    for images, labels in batches(IMAGES[:TRAINED], 20):
        with tf.GradientTape() as tape:
            loss = crisp_loss(labels, net(images, training=True))
        changes = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(changes, net.trainable_variables, strict=True))
    tf.argmax(net(IMAGES[TRAINED:], training=True), axis=1)
    return net


STYLES = (
    *(keras_layers, keras_fit, keras_fit_softmax, functional_in_a_compiled_step),
    *(subclassed_with_augmentation, own_train_step, second_input_is_a_constant, second_input_changes),
    *(coloured_images, coloured_images_without_a_model, encoder_and_head, layers_one_by_one),
    *(model_with_plain_variables, best_weights_put_back, batch_by_batch, frozen_first_layer),
    *(padded_to_another_size, flipped_at_random, evaluated_on_another_scale),
    *(called_in_training_mode_at_test,),
)
