# Assignment 1, Participant 112
# I don't like notebooks, so here is a script. Run it with: python mlp.py 100 relu
#
# Zero initialization: all neurons of the hidden layer would be equal and get equal gradients,
# so they could never become different. In the linear model there is no hidden layer, so no problem.
#
# Interface: the update loop and the creation of the variables should be wrapped. The input size of
# the second layer is redundant. I miss learning rate decay.

import sys

import numpy as np
import tensorflow as tf


def main(n_hidden, activation):
    (x, y), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
    x, x_test = [np.reshape(a, [-1, 784]).astype("float32") / 255 for a in (x, x_test)]
    y, y_test = y.astype("int32"), y_test.astype("int32")

    w1 = tf.Variable(tf.random.uniform([784, n_hidden], -0.1, 0.1))
    b1 = tf.Variable(tf.zeros([n_hidden]))
    w2 = tf.Variable(tf.random.uniform([n_hidden, 10], -0.1, 0.1))
    b2 = tf.Variable(tf.zeros([10]))

    def model(images):
        return tf.matmul(activation(tf.matmul(images, w1) + b1), w2) + b2

    for step in range(1000):
        i = np.random.randint(0, 60000, 100)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y[i], logits=model(x[i])))
        variables = [w1, b1, w2, b2]
        for v, g in zip(variables, tape.gradient(loss, variables)):
            v.assign_sub(0.2 * g)
        if step % 100 == 0:
            print(step, loss.numpy())

    print("test accuracy:", np.mean(np.argmax(model(x_test), axis=1) == y_test))


if __name__ == "__main__":
    main(int(sys.argv[1]), getattr(tf.nn, sys.argv[2]))
