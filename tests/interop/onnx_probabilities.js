// node onnx_probabilities.js MODEL.onnx IMAGES COUNT: runs a network that Lockstep exported, in
// onnxruntime, on COUNT images whose bytes lie one behind the other in the file IMAGES (height,
// width, channels). Prints {"inputs": ..., "outputs": ..., "probabilities": [...]} as JSON.
'use strict';

const fs = require('fs');
const ort = require('onnxruntime-node');

async function main([model, images, count]) {
    const session = await ort.InferenceSession.create(model);
    const pixels = Float32Array.from(fs.readFileSync(images));  // bytes as float32, 0 to 255
    const shape = [Number(count), ...session.inputMetadata[0].shape.slice(1)];
    const results = await session.run({pixels: new ort.Tensor('float32', pixels, shape)});
    process.stdout.write(JSON.stringify({
        inputs: session.inputNames,
        outputs: session.outputNames,
        probabilities: Array.from(results.probabilities.data),
    }));
}

main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
});
