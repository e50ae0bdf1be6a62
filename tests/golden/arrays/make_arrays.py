#!/usr/bin/env python3
"""Writes h5py.h5 anew: a small data set as people keep theirs. Needs h5py (Debian: python3-h5py).

Pixel i of an array is (7 i + its first pixel's number) mod 251, label i is (3 i) mod 5: what
tests/trainer/hdf5_arrays_test.cpp expects.
"""
import h5py
import numpy


def pixels(count, first):
    shape = (count, 4, 3, 2)
    return ((7 * numpy.arange(numpy.prod(shape)) + first) % 251).astype("u1").reshape(shape)


def labels(count, kind):
    return ((3 * numpy.arange(count)) % 5).astype(kind)


with h5py.File("h5py.h5", "w") as file:
    # Chunks that neither divide the samples nor hold whole images.
    file.create_dataset("x_train", data=pixels(50, 11), chunks=(7, 4, 2, 2), compression="gzip",
                        shuffle=True, fletcher32=True)
    file.create_dataset("y_train", data=labels(50, "<i8").reshape(50, 1), compression="gzip")
    file["x_test"] = pixels(9, 100)
    file["y_test"] = labels(9, ">i2")
    file.create_group("notes").attrs["author"] = "somebody"
    file["names"] = [b"a", b"b", b"c", b"d", b"e"]
