#pragma once

// A convolution in oneDNN's words. Seen by the two files of the convolution alone.

#include "trainer/kernels/convolution.hpp"
#include "trainer/kernels/onednn.hpp"

namespace lockstep::trainer {

// Everything oneDNN needs to know of the convolution, as its dims.
struct ConvolutionFormat::Descriptors {
    int ic = 0, oc = 0, ih = 0, iw = 0, oh = 0, ow = 0;
    int groups = 1;  // as oneDNN counts them
    dnnl::memory::dims kernel, strides, dilates, pad_before, pad_after;
    dnnl::memory::format_tag src_tag = dnnl::memory::format_tag::any,
                             dst_tag = dnnl::memory::format_tag::any;
    dnnl::memory::desc weights;

    dnnl::memory::dims src_dims(int n) const { return {n, ic, ih, iw}; }
    dnnl::memory::dims dst_dims(int n) const { return {n, oc, oh, ow}; }
    dnnl::memory::dims weights_dims() const {
        if (groups == 1) return {oc, ic, kernel[0], kernel[1]};
        return {groups, oc / groups, ic / groups, kernel[0], kernel[1]};
    }
    dnnl::memory::desc src(int n) const { return f32(src_dims(n), src_tag); }
    dnnl::memory::desc dst(int n) const { return f32(dst_dims(n), dst_tag); }
    dnnl::memory::desc bias() const { return f32({oc}, dnnl::memory::format_tag::x); }

    // Blocks on both sides, as winograd.hpp wants them.
    bool has_winograd_layouts(int block) const {
        using tag = dnnl::memory::format_tag;
        const tag activations = block == 16 ? tag::nChw16c : tag::nChw8c;
        const tag filters = block == 16 ? tag::OIhw16i16o : tag::OIhw8i8o;
        return src_tag == activations && dst_tag == activations &&
               weights == f32(weights_dims(), filters);
    }

    // Planes on one side, as first_convolution.hpp wants them.
    bool has_first_layouts(int block) const {
        using tag = dnnl::memory::format_tag;
        const tag activations = block == 16 ? tag::nChw16c : tag::nChw8c;
        const tag filters = block == 16 ? tag::Ohwi16o : tag::Ohwi8o;
        return src_tag == tag::nchw && dst_tag == activations &&
               weights == f32(weights_dims(), filters);
    }

    dnnl::convolution_forward::primitive_desc forward(const OneDnn& dnn, int n,
                                                      const dnnl::memory::desc& weights_desc,
                                                      bool has_relu) const {
        return forward_pd<dnnl::convolution_forward>(
            dnn, attributes(has_relu), dnnl::prop_kind::forward_training,
            dnnl::algorithm::convolution_direct, src(n), weights_desc, bias(), dst(n), strides,
            dilates, pad_before, pad_after);
    }
    dnnl::convolution_backward_data::primitive_desc backward_data(
        const OneDnn& dnn, const dnnl::memory::desc& diff_src, const dnnl::memory::desc& diff_dst,
        const dnnl::convolution_forward::primitive_desc& hint) const {
        return backward_pd<dnnl::convolution_backward_data>(
            dnn, hint, dnnl::algorithm::convolution_direct, diff_src,
            f32(weights_dims(), dnnl::memory::format_tag::any), diff_dst, strides, dilates,
            pad_before, pad_after);
    }
    dnnl::convolution_backward_weights::primitive_desc backward_weights(
        const OneDnn& dnn, const dnnl::memory::desc& src_desc,
        const dnnl::memory::desc& weights_desc, const dnnl::memory::desc& dst_desc,
        const dnnl::convolution_forward::primitive_desc& hint) const {
        return backward_pd<dnnl::convolution_backward_weights>(
            dnn, hint, dnnl::algorithm::convolution_direct, src_desc, weights_desc, bias(),
            dst_desc, strides, dilates, pad_before, pad_after);
    }
};

}  // namespace lockstep::trainer
