#pragma once

// Every key an experiment file may have, by table; those of layers are in layers/. A key that is
// not there is an error.

#include <span>
#include <string_view>

namespace lockstep::pipeline {

struct KeyList {
    std::string_view table;  // its heading in experiments/README.md
    std::span<const std::string_view> keys;
};

enum class KeyGroup {
    file,
    experiment,
    run,
    data,
    validation,
    train,
    parallel,
    early_stopping,
    checkpoint,
    optimizer_sgd,
    optimizer_adam,
    optimizer_rmsprop,
    optimizer_lion,
    optimizer_adagrad,
    optimizer_nadam,
    optimizer_muon,
    learning_rate_factors,
    lookahead,
    schedule_constant,
    schedule_step,
    schedule_exponential,
    schedule_cosine,
    schedule_piecewise,
    schedule_one_cycle,
    schedule_reduce_on_plateau,
    expect,
    random_flip,
    random_crop,
    random_translation,
    random_rotation,
    random_zoom,
    random_brightness,
    random_contrast,
    cutout,
    mixup,
    regularizer,
    initializer,
    trainable_epochs,
    block,
    block_use,
};
const KeyList& keys_of(KeyGroup group);
std::span<const KeyList> keys_of_tables();

}  // namespace lockstep::pipeline
