#pragma once

// Training in a fraction of a second: small images in memory, small networks that have every kind
// of layer, and an observer that keeps everything it is told.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/data/dataset.hpp"
#include "trainer/train.hpp"

namespace lockstep::tests {

struct TinyDataset {
    trainer::Shape shape{8, 8, 3, false};
    int classes = 4;
    int training_samples = 45;
    int test_samples = 21;
};

// Images of noise around one brightness pattern a class; labels 0, 1, 2, ... in turn. Class names
// are "class 0", "class 1", ...
std::shared_ptr<const trainer::Dataset> make_tiny_dataset(const TinyDataset& setting = {});

// Convolutions with and without bias, both poolings, batch normalization of images and of vectors,
// dropout, an activation layer, dense layers; channels that fill no vector.
std::vector<trainer::LayerConfig> every_kind_of_layer(int classes = 4);
// No chain: two residual blocks, a product, and two pools over whole images side by side.
std::vector<trainer::LayerConfig> residual_layers(int classes = 4);
// Activations that stand behind kernels, sigmoids of channels that fill no vector among them.
std::vector<trainer::LayerConfig> activated_layers(int classes = 4);
// Squeeze and excitation: a product and a sum with images of one pixel; layer normalization of
// pixels and of a vector that was padded images, rescaling, spatial dropout.
std::vector<trainer::LayerConfig> gated_layers(int classes = 4);
// One convolution and two dense layers: nothing random, nothing that looks at the whole batch.
std::vector<trainer::LayerConfig> plain_layers(int classes = 4);

// A run of two epochs of batches of 16 on a tiny data set, validated on the test set.
trainer::RunConfig tiny_run(std::vector<trainer::LayerConfig> layers = every_kind_of_layer());

// With everything that a recipe may add to a step: smoothed labels, weighted classes, decay,
// regularizers, clipping, and a schedule that has a state.
trainer::RunConfig tiny_recipe();

// Of a kernel made of the training images, whose bias is trained in the first epoch alone, one that
// begins as the identity, and regularizers of every tensor; images are mixed.
trainer::RunConfig whitened_run();

struct KeptSnapshot {
    trainer::TrainState state;
    bool is_best = false;
};

class RecordingObserver : public trainer::TrainObserver {
public:
    void on_epoch_begin(int epoch, int, std::int64_t) override { begun.push_back(epoch); }
    void on_step_end(const trainer::StepRecord& step) override { steps.push_back(step); }
    void on_epoch_end(const trainer::EpochRecord& epoch) override { epochs.push_back(epoch); }
    bool wants_snapshot() override { return wants && wants(); }
    void on_snapshot(trainer::Snapshot snapshot) override {
        snapshots.push_back({std::move(snapshot.state), snapshot.is_best});
    }

    std::function<bool()> wants;  // asked once a step; may be empty
    std::vector<int> begun;
    std::vector<trainer::StepRecord> steps;
    std::vector<trainer::EpochRecord> epochs;
    std::vector<KeptSnapshot> snapshots;
};

struct Trained {
    trainer::TrainOutcome outcome;
    RecordingObserver seen;  // empty but on rank 0
};
Trained train_tiny(const trainer::RunConfig& config, const trainer::Communicator& comm,
                   const trainer::TrainState* resume_from = nullptr,
                   const TinyDataset& dataset = {});

// With a snapshot after every step.
Trained train_step_by_step(const trainer::RunConfig& config, const trainer::Communicator& comm,
                           std::function<bool()> stop_requested = {});

// SHA-256 over names, shapes and the bits of all values.
std::string digest_of(const trainer::NamedTensors& tensors);

// Metrics as text with all their bits, to be compared and sent around.
std::string bits_of(const trainer::Metrics& metrics);
std::string bits_of(const std::vector<trainer::EpochRecord>& epochs);  // but for the times
std::string bits_of(const std::vector<trainer::StepRecord>& steps);

}  // namespace lockstep::tests
