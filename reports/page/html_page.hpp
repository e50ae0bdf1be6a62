#pragma once

// What the parts of one page share while they are printed.

#include <string>
#include <vector>

#include "reports/charts/plot.hpp"
#include "reports/page/html_pictures.hpp"

namespace lockstep::reports {

class HtmlPage {
public:
    // Charts, which the page's script will find too.
    std::string charts(const std::vector<Plot>& plots);

    // A stored image, kept once in the page. All images of one page that have the same size share
    // a PNG.
    std::string picture(const ImageSheet& sheet, std::size_t image, std::string_view description);

    const std::vector<Plot>& plots() const { return plots_; }
    std::string atlases() const;

private:
    struct SizedAtlas {
        int height = 0;
        int width = 0;
        ImageAtlas atlas;
    };
    std::vector<Plot> plots_;
    std::vector<SizedAtlas> atlases_;
};

}  // namespace lockstep::reports
