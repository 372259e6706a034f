// How loud a microphone is, for a meter.

export class SoundLevel {
  #context;
  #analyser;
  #samples;

  constructor(stream) {
    if (!stream.getAudioTracks().length) return;
    this.#context = new AudioContext();
    this.#analyser = new AnalyserNode(this.#context, { fftSize: 1024 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
  }

  /** 0 (silence) to 1 (as loud as can be), on the scale that ears have: −60 dB is 0. */
  get value() {
    if (!this.#analyser) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return Math.min(1, Math.max(0, 1 + (10 * Math.log10(power || 1e-9)) / 60));
  }

  close() {
    this.#context?.close();
  }
}
