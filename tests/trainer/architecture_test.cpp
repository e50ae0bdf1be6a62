// Shapes, parameters and operations against Keras' documented rules and figures worked by hand.
#include "trainer/config/architecture.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

using namespace lockstep::trainer;

namespace {

const Shape kCifarImage{32, 32, 3, false};

LayerConfig conv(std::string name, int filters, int kernel, Padding padding = Padding::valid) {
    return {std::move(name), Conv2dConfig{.filters = filters,
                                          .kernel_size = {kernel, kernel},
                                          .padding = padding,
                                          .activation = Activation::relu}};
}
LayerConfig pool(std::string name, int size = 2) {
    return {std::move(name), PoolingConfig{.pool_size = {size, size}, .strides = {size, size}}};
}
LayerConfig flatten() { return {"flatten", FlattenConfig{}}; }
LayerConfig dense(std::string name, int units, Activation activation = Activation::linear) {
    return {std::move(name), DenseConfig{.units = units, .activation = activation}};
}

std::string shape_error(const std::vector<LayerConfig>& layers, int classes = 10) {
    try {
        infer_shapes(layers, kCifarImage, classes);
    } catch (const ShapeError& error) {
        return error.what();
    }
    return "no error";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// A plain restatement of "valid" and "same": slide the window and count where it may stand.
int positions(int size, int kernel, int stride, Padding padding) {
    int count = 0;
    for (int start = 0; start < size; start += stride) {
        if (padding == Padding::same || start + kernel <= size) ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("initializers of matrices take no other tensors", "[architecture]") {
    const LayerConfig out = dense("out", 10);
    LayerConfig kernel = conv("c", 4, 3);
    std::get<Conv2dConfig>(kernel.kind).kernel_initializer = Initializer::identity;
    CHECK(contains(shape_error({kernel, flatten(), out}), "its kernel has the shape (3, 3, 3, 4)"));
    std::get<Conv2dConfig>(kernel.kind).kernel_initializer = Initializer::orthogonal;
    CHECK(shape_error({kernel, flatten(), out}) == "no error");
    std::get<Conv2dConfig>(kernel.kind).bias_initializer = Initializer::orthogonal;
    CHECK(contains(shape_error({kernel, flatten(), out}), "its bias is a vector of 4 values"));
    LayerConfig matrix = out;
    std::get<DenseConfig>(matrix.kind).kernel_initializer = Initializer::identity;
    CHECK(shape_error({flatten(), matrix}) == "no error");
}

TEST_CASE("shapes and names of layers that came later", "[architecture]") {
    const GlobalPoolingConfig to_pixel{.kind = PoolingKind::max, .keepdims = true};
    const std::vector<LayerConfig> layers{
        {"rescaling", RescalingConfig{}},
        {"norm", LayerNormalizationConfig{.scale = false}},
        {"spatial", DropoutConfig{.rate = 0.5, .is_spatial = true}},
        {"top", to_pixel},
        {"sum", MergeConfig{}, {4, 3, 4}},
        flatten(),
        {"norm_1", LayerNormalizationConfig{}},
        dense("out", 10)};
    const Architecture architecture = infer_shapes(layers, kCifarImage, 10);
    std::vector<std::string> names, outputs;
    for (const LayerShape& layer : architecture.layers) {
        names.push_back(layer.class_name);
        outputs.push_back(to_string(layer.output));
    }
    CHECK(names == std::vector<std::string>{"Rescaling", "LayerNormalization", "SpatialDropout2D",
                                            "GlobalMaxPooling2D", "Add", "Flatten",
                                            "LayerNormalization", "Dense"});
    CHECK(outputs[3] == "(None, 1, 1, 3)");
    CHECK(outputs[4] == "(None, 32, 32, 3)");
    CHECK(architecture.layers[1].parameter_count() == 3);
    CHECK(architecture.layers[6].parameter_count() == 2 * 3072);
    CHECK(architecture.layers[6].parameters[0].name == "gamma");
    CHECK(architecture.layers[6].parameters[1].name == "beta");

    const LayerConfig& spatial = layers[2];
    CHECK(contains(shape_error({flatten(), spatial, dense("out", 10)}), "it needs an image"));
    const std::vector<LayerConfig> unlike{
        pool("pool", 2), {"sum", MergeConfig{}, {0, 1}}, flatten(), dense("out", 10)};
    CHECK(contains(shape_error(unlike), "(None, 32, 32, 3) and (None, 16, 16, 3) differ"));
}

TEST_CASE("a window stands where Keras lets it", "[architecture]") {
    for (int size = 1; size <= 12; ++size) {
        for (int kernel = 1; kernel <= 6; ++kernel) {
            for (int stride = 1; stride <= 5; ++stride) {
                CAPTURE(size, kernel, stride);
                const Window valid = window_of(size, kernel, stride, Padding::valid);
                CHECK(valid.output == positions(size, kernel, stride, Padding::valid));
                CHECK(valid.pad_before + valid.pad_after == 0);

                const Window same = window_of(size, kernel, stride, Padding::same);
                CHECK(same.output == positions(size, kernel, stride, Padding::same));
                const int covered = (same.output - 1) * stride + kernel;
                CHECK(same.pad_before + same.pad_after == std::max(covered - size, 0));
                CHECK((same.pad_after == same.pad_before || same.pad_after == same.pad_before + 1));
            }
        }
    }
}

TEST_CASE("same padding of an even kernel pads behind only", "[architecture]") {
    const Window window = window_of(32, 2, 1, Padding::same);
    CHECK(window.output == 32);
    CHECK(window.pad_before == 0);
    CHECK(window.pad_after == 1);
}

TEST_CASE("a small network has Keras' shapes, parameters and operations", "[architecture]") {
    const std::vector<LayerConfig> layers{conv("conv2d", 10, 3),
                                          pool("max_pooling2d"),
                                          {"batch_normalization", BatchNormalizationConfig{}},
                                          {"dropout", DropoutConfig{0.25}},
                                          flatten(),
                                          dense("dense", 7, Activation::softmax)};
    const Architecture architecture = infer_shapes(layers, kCifarImage, 7);

    REQUIRE(architecture.layers.size() == 6);
    CHECK(to_string(architecture.layers[0].output) == "(None, 30, 30, 10)");
    CHECK(to_string(architecture.layers[1].output) == "(None, 15, 15, 10)");
    CHECK(to_string(architecture.layers[4].output) == "(None, 2250)");
    CHECK(to_string(architecture.output()) == "(None, 7)");
    CHECK(architecture.layers[0].class_name == "Conv2D");
    CHECK(architecture.layers[0].parameters[0].shape == std::vector<std::int64_t>{3, 3, 3, 10});
    CHECK(architecture.layers[5].parameters[0].shape == std::vector<std::int64_t>{2250, 7});

    CHECK(architecture.layers[0].parameter_count() == 3 * 3 * 3 * 10 + 10);
    CHECK(architecture.layers[2].parameter_count() == 40);
    CHECK(architecture.layers[2].trainable_count() == 20);
    CHECK(architecture.parameter_count() == 280 + 40 + 2250 * 7 + 7);
    CHECK(architecture.trainable_count() == architecture.parameter_count() - 20);

    const std::int64_t conv_flops = 2 * (3 * 3 * 3) * (30 * 30 * 10) + 30 * 30 * 10;
    CHECK(architecture.layers[0].flops == conv_flops);
    CHECK(architecture.layers[5].flops == 2 * 2250 * 7 + 7 + 5 * 7);
}

TEST_CASE("strides and rectangular kernels work per axis", "[architecture]") {
    const Conv2dConfig config{
        .filters = 4, .kernel_size = {5, 1}, .strides = {2, 3}, .use_bias = false};
    const std::vector<LayerConfig> layers{{"conv2d", config}, flatten(), dense("dense", 2)};
    const Architecture architecture = infer_shapes(layers, kCifarImage, 2);
    CHECK(to_string(architecture.layers[0].output) == "(None, 14, 11, 4)");
    CHECK(architecture.layers[0].parameter_count() == 5 * 1 * 3 * 4);
}

TEST_CASE("what kernels cannot count is refused while it is planned", "[architecture]") {
    CHECK(shape_error(
              {conv("narrow", 65'536, 1), conv("wide", 65'536, 3), flatten(), dense("dense", 10)})
              .find("\"wide\" cannot take its input (None, 32, 32, 65536): its kernel has "
                    "3.87e+10 weights") != std::string::npos);
    CHECK(contains(shape_error({flatten(), dense("dense", 1'000'000), dense("dense_1", 10)}),
                   "its kernel has 3.07e+09 weights"));
    // 17 channels lie in memory as 32: as many features behind the flatten, and what leaves them.
    const std::vector<LayerConfig> flattened{
        conv("conv2d", 17, 3, Padding::same), flatten(), {"dropout", DropoutConfig{}}};
    const auto error_with_units = [&](int units) {
        std::vector<LayerConfig> layers = flattened;
        for (const LayerConfig& layer : {dense("dense", units), dense("dense_1", 10)})
            layers.push_back(layer);
        return shape_error(layers);
    };
    CHECK(error_with_units(65'535) == "no error");
    CHECK(contains(error_with_units(65'536), "its kernel has 2.15e+09 weights, padded"));
    // Behind a dense layer nothing is padded any more.
    CHECK(shape_error({flatten(), dense("dense", 17), dense("dense_1", 100'000'000),
                       dense("dense_2", 10)}) == "no error");
    CHECK(
        contains(shape_error({conv("narrow", 65'536, 1), conv("wide", 65'536, 1024, Padding::same),
                              flatten(), dense("dense", 10)}),
                 "its kernel has 4.5e+15 weights"));
    const auto pooled = [](const Shape& image, int size) {
        try {
            infer_shapes(std::vector{pool("pool", size), flatten()}, image, 0);
        } catch (const ShapeError& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    CHECK(contains(pooled({300, 300, 1, false}, 257), "its pool covers 257x257 pixels; 65536"));
    CHECK(!contains(pooled({300, 300, 1, false}, 256), "its pool covers"));
}

TEST_CASE("padding may be as large as any kernel", "[architecture]") {
    constexpr int kMost = std::numeric_limits<int>::max();
    const Window window = window_of(32, kMost, 1, Padding::same);
    CHECK(window.output == 32);
    CHECK(window.pad_before == kMost / 2);  // of 31 + kMost - 32 zeros
    CHECK(window.pad_after == kMost / 2);
}

TEST_CASE("layers that do not fit are named with their input and the layers before",
          "[architecture]") {
    SECTION("pool larger than the image") {
        const std::vector<LayerConfig> layers{conv("first", 8, 31), pool("too_big", 3), flatten(),
                                              dense("dense", 10)};
        CHECK(shape_error(layers) ==
              "layer \"too_big\" cannot take its input (None, 2, 2, 8): its pool of 3x3 is larger "
              "than the input");
        try {
            infer_shapes(layers, kCifarImage, 10);
            FAIL("a pool larger than its input");
        } catch (const ShapeError& error) {
            CHECK(error.layer_index() == 1);
            REQUIRE(error.so_far().layers.size() == 1);
            CHECK(error.so_far().layers[0].name == "first");
        }
    }
    SECTION("dense before flatten") {
        CHECK(contains(
            shape_error({conv("conv2d", 8, 3), dense("dense", 10)}),
            "\"dense\" cannot take its input (None, 30, 30, 8): a dense layer needs a flatten"));
    }
    SECTION("convolution after flatten") {
        CHECK(contains(shape_error({flatten(), conv("conv2d", 8, 3)}),
                       "\"conv2d\" cannot take its input (None, 3072)"));
    }
    SECTION("softmax on an image") {
        CHECK(contains(shape_error({{"activation", ActivationConfig{Activation::softmax}}}),
                       "softmax needs a flatten"));
    }
    SECTION("outputs that are not the classes") {
        CHECK(contains(shape_error({flatten(), dense("dense", 9)}),
                       "ends in 9 values, but there are 10 classes"));
        CHECK(contains(shape_error({conv("conv2d", 10, 32)}), "ends in an image"));
    }
    SECTION("nothing") { CHECK(shape_error({}) == "the network has no layers"); }
}

TEST_CASE("softmax at the end, a kernel as large as its input and a second flatten are fine",
          "[architecture]") {
    const std::vector<LayerConfig> layers{conv("conv2d", 4, 32),
                                          flatten(),
                                          {"flatten_1", FlattenConfig{}},
                                          dense("dense", 10),
                                          {"activation", ActivationConfig{Activation::softmax}}};
    CHECK(to_string(infer_shapes(layers, kCifarImage, 10).output()) == "(None, 10)");
}

namespace {

LayerConfig merge(MergeKind kind, std::vector<ValueNumber> sources) {
    return {"merge", MergeConfig{kind}, std::move(sources)};
}
LayerConfig global(ValueNumber source) { return {"global", GlobalPoolingConfig{}, {source}}; }
LayerConfig conv_of(std::string name, int filters, int kernel, ValueNumber source) {
    LayerConfig layer = conv(std::move(name), filters, kernel, Padding::same);
    layer.sources = {source};
    return layer;
}

}  // namespace

TEST_CASE("layers read what they name: shapes and figures of a graph", "[architecture]") {
    const std::vector<LayerConfig> layers{conv_of("a", 8, 3, 0),
                                          conv_of("b", 8, 3, 1),
                                          merge(MergeKind::add, {2, 1}),
                                          conv_of("c", 5, 1, 3),
                                          merge(MergeKind::concatenate, {0, 4, 3}),
                                          global(5),
                                          dense("dense", 10)};
    const Architecture architecture = infer_shapes(layers, kCifarImage, 10);
    CHECK(to_string(architecture.layers[2].output) == "(None, 32, 32, 8)");
    CHECK(architecture.layers[2].class_name == "Add");
    CHECK(architecture.layers[2].sources == std::vector<ValueNumber>{2, 1});
    CHECK(architecture.layers[2].flops == 32 * 32 * 8);
    CHECK(to_string(architecture.layers[4].output) == "(None, 32, 32, 16)");
    CHECK(architecture.layers[4].class_name == "Concatenate");
    CHECK(to_string(architecture.layers[5].output) == "(None, 16)");
    CHECK(architecture.layers[5].class_name == "GlobalAveragePooling2D");
    CHECK(architecture.layers[5].flops == 32 * 32 * 16);
    CHECK(architecture.layers[6].sources == std::vector<ValueNumber>{6});
    CHECK(architecture.parameter_count() ==
          (27 * 8 + 8) + (72 * 8 + 8) + (8 * 5 + 5) + (16 * 10 + 10));
}

TEST_CASE("inputs that do not go together are told with their shapes", "[architecture]") {
    const auto error_of = [](const LayerConfig& last) {
        return shape_error({conv_of("a", 8, 3, 0), conv_of("b", 6, 3, 1), pool("pool"), last});
    };
    CHECK(error_of(merge(MergeKind::add, {1, 2})) ==
          "layer \"merge\" cannot take its inputs (None, 32, 32, 8), (None, 32, 32, 6): (None, 32, "
          "32, 8) and (None, 32, 32, 6) differ");
    CHECK(contains(error_of(merge(MergeKind::concatenate, {1, 3})),
                   "(None, 32, 32, 8) and (None, 16, 16, 6) differ in more than their channels"));
    CHECK(contains(error_of(merge(MergeKind::multiply, {3})), "it needs two inputs or more"));
    LayerConfig two = flatten();
    two.sources = {1, 2};
    CHECK(contains(error_of(two), "it takes one"));
    CHECK(contains(shape_error({flatten(), global(1), dense("dense", 10)}),
                   "it needs an image, not a vector"));
}

TEST_CASE("a layer that none reads is told", "[architecture]") {
    CHECK(shape_error(
              {conv_of("a", 8, 3, 0), conv_of("b", 6, 3, 0), flatten(), dense("dense", 10)}) ==
          "no layer reads layer \"a\": name it in another layer's inputs, or leave it out");
}
