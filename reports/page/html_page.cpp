#include "reports/page/html_page.hpp"

#include <algorithm>

#include "reports/page/html_elements.hpp"

namespace lockstep::reports {

std::string HtmlPage::charts(const std::vector<Plot>& plots) {
    plots_.insert(plots_.end(), plots.begin(), plots.end());
    return html_charts(plots);
}

std::string HtmlPage::picture(const ImageSheet& sheet, std::size_t image,
                              std::string_view description) {
    auto found = std::ranges::find_if(atlases_, [&](const SizedAtlas& each) {
        return each.height == sheet.height && each.width == sheet.width;
    });
    if (found == atlases_.end()) {
        const std::string id = "atlas" + std::to_string(atlases_.size());
        atlases_.push_back({sheet.height, sheet.width, ImageAtlas(id)});
        found = atlases_.end() - 1;
    }
    return found->atlas.picture(found->atlas.place_of(sheet, image), description);
}

std::string HtmlPage::atlases() const {
    std::string markup;
    for (const SizedAtlas& each : atlases_) markup += each.atlas.definition();
    return markup;
}

}  // namespace lockstep::reports
