#include "trainer/augmentation/test_views.hpp"

#include <array>

#include "trainer/data/batch_input.hpp"

namespace lockstep::trainer {
namespace {

constexpr std::array<View, 1> kImage{{{}}};
constexpr std::array<View, 2> kMirror{{{0, false, 0.5}, {0, true, 0.5}}};
constexpr std::array<View, 6> kMirrorTranslate{{{0, false, 0.25},
                                                {0, true, 0.25},
                                                {1, false, 0.125},
                                                {1, true, 0.125},
                                                {-1, false, 0.125},
                                                {-1, true, 0.125}}};

}  // namespace

std::span<const View> views_of(TestViews views) {
    switch (views) {
        case TestViews::mirror:
            return kMirror;
        case TestViews::mirror_translate:
            return kMirrorTranslate;
        case TestViews::image:
            break;
    }
    return kImage;
}

ViewInput::ViewInput(const Shape& image)
    : shape_{image.height, image.width, image.channels}, image_(shape_.values()) {}

void ViewInput::write(const SampleSet& samples, std::span<const std::uint32_t> which,
                      const View& view, const PixelScale& scale, const Layout& layout,
                      float* input) {
    for (const std::uint32_t sample : which) {
        shift(samples.pixels_of(sample, shape_.values()), image_.data(), shape_, -view.shift,
              -view.shift, {FillMode::mirror, 0.0});
        flip(image_.data(), shape_, view.is_mirrored, false);
        write_image(image_.data(), scale, layout, input);
        input += layout.sample_size();
    }
}

}  // namespace lockstep::trainer
