"""Trains an MLP on MNIST - or should. Find out by looking at what happens in training why it fails, and mend it."""

import tensorflow as tf

from datasets import MNISTDataset

TRAIN_STEPS = 2000
BATCH_SIZE = 128
LEARNING_RATE = 0.1
N_LAYERS = 6
N_UNITS = 100
W_RANGE = 1.0

(train_images, train_labels), (test_images, test_labels) = tf.keras.datasets.mnist.load_data()
data = MNISTDataset(train_images, train_labels, test_images, test_labels, batch_size=BATCH_SIZE)


def make_layer(n_in, n_out):
    w = tf.Variable(tf.random.uniform([n_in, n_out], -W_RANGE, W_RANGE))
    b = tf.Variable(tf.zeros([n_out]))
    return w, b


sizes = [784] + N_LAYERS * [N_UNITS] + [10]
layers = [make_layer(n_in, n_out) for n_in, n_out in zip(sizes[:-1], sizes[1:])]
variables = [variable for layer in layers for variable in layer]


def model(images):
    x = images
    for w, b in layers[:-1]:
        x = tf.nn.relu(tf.matmul(x, w) + b)
    w, b = layers[-1]
    return tf.matmul(x, w) + b


for step in range(TRAIN_STEPS):
    images, labels = data.next_batch()
    with tf.GradientTape() as tape:
        logits = model(images)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels))
    gradients = tape.gradient(loss, variables)
    for variable, gradient in zip(variables, gradients):
        variable.assign_sub(LEARNING_RATE * gradient)

    if step % 100 == 0:
        correct = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        print(
            "Step {}: loss {}, accuracy {}".format(step, loss, tf.reduce_mean(tf.cast(correct, tf.float32)))
        )

predictions = tf.argmax(model(data.test_data), axis=1, output_type=tf.int32)
accuracy = tf.reduce_mean(tf.cast(tf.equal(predictions, data.test_labels), tf.float32))
print("Test accuracy: {}".format(accuracy))
