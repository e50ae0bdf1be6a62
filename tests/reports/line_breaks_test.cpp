#include "reports/page/line_breaks.hpp"

#include <string>

#include "tests/support/catch.hpp"

using lockstep::reports::longest_part;
using lockstep::reports::with_line_breaks;

TEST_CASE("line breaks: a word of eleven letters has none", "[reports]") {
    CHECK(with_line_breaks("").empty());
    CHECK(with_line_breaks("batch_size1") == "batch_size1");
    CHECK(with_line_breaks("batch_size12") == "batch_<wbr>size12");
    CHECK(with_line_breaks("several words of few letters each") ==
          "several words of few letters each");
}

TEST_CASE("line breaks: behind what joins names, and behind no other sign", "[reports]") {
    CHECK(with_line_breaks("train.optimizer.learning_rate") ==
          "train.<wbr>optimizer.<wbr>learning_<wbr>rate");
    CHECK(with_line_breaks("runs/vgg-bn:batch=32,size") ==
          "runs/<wbr>vgg-<wbr>bn:<wbr>batch=<wbr>32,<wbr>size");
    CHECK(with_line_breaks("conv2d+dense;ab") == "conv2d+dense<wbr>;ab");  // as a word without any
}

TEST_CASE("line breaks: a figure stays whole, and so do signs of one kind", "[reports]") {
    CHECK(with_line_breaks("0.00012345678") == "0.00012345678");
    CHECK(with_line_breaks("1,234,567,890") == "1,234,567,890");
    CHECK(with_line_breaks("abcdefghij--kl") == "abcdefghij--<wbr>kl");
}

TEST_CASE("line breaks: a part of fourteen letters stays whole, a longer one breaks after twelve",
          "[reports]") {
    CHECK(with_line_breaks("abcdefghijklmn") == "abcdefghijklmn");
    CHECK(with_line_breaks("abcdefghijklmno") == "abcdefghijkl<wbr>mno");
    CHECK(with_line_breaks("ab_cdefghijklmnop") == "ab_<wbr>cdefghijklmnop");
    CHECK(with_line_breaks(std::string(30, 'a')) ==
          std::string(12, 'a') + "<wbr>" + std::string(12, 'a') + "<wbr>aaaaaa");
}

TEST_CASE("line breaks: letters are those of UTF-8 and entities, never their bytes", "[reports]") {
    std::string twelve, fifteen;
    for (int i = 0; i < 15; ++i) {
        if (i < 12) twelve += "ä";
        fifteen += "ä";
    }
    CHECK(with_line_breaks(twelve) == twelve);
    CHECK(with_line_breaks(fifteen) == twelve + "<wbr>äää");
    CHECK(with_line_breaks("a&lt;bcdefghij") == "a&lt;bcdefghij");  // eleven letters
    CHECK(with_line_breaks("abcdefghijk&amp;lmno") == "abcdefghijk&amp;<wbr>lmno");
}

TEST_CASE("line breaks: tags, their attributes and drawings stay as they are", "[reports]") {
    CHECK(with_line_breaks("<code class=\"of_many_letters\">batch_normalization</code>") ==
          "<code class=\"of_many_letters\">batch_<wbr>normalization</code>");
    const std::string drawing = "<svg><text>a_text_of_many_letters</text></svg>";
    CHECK(with_line_breaks(drawing) == drawing);
    // A tag ends a word: what stands on its two sides is short.
    CHECK(with_line_breaks("batch_<b>size_of</b>") == "batch_<b>size_of</b>");
}

TEST_CASE("longest part: what no line break divides", "[reports]") {
    CHECK(longest_part("", false) == 0.0);
    CHECK(longest_part("beta", false) == 4.0);
    CHECK(longest_part("beta.<wbr>epsilon.<wbr>rho", false) == 8.0);
    CHECK(longest_part("too letters", false) == 7.0);
    CHECK(longest_part("a-bcd", false) == 3.0);  // browsers break behind a hyphen by themselves
    CHECK(longest_part("<b>beta</b>", false) == 4.0);
    CHECK(longest_part("<svg><text>epsilon</text></svg>ab", false) == 2.0);
}

TEST_CASE("longest part: on one line only elements with a line of their own divide", "[reports]") {
    CHECK(longest_part("too letters", true) == 11.0);
    CHECK(longest_part("a-bcd", true) == 5.0);
    CHECK(longest_part("0.5<small>of 12</small>", true) == 5.0);
    CHECK(longest_part("0.5<div>of 12</div>", true) == 5.0);
}

TEST_CASE("longest part: wide letters count more", "[reports]") {
    CHECK(longest_part("mm", false) == Approx(3.2));
    CHECK(longest_part("学习", false) == Approx(3.6));
    CHECK(longest_part("&amp;", false) == 1.0);
}
