// Registers the elements. Pages are whole without them; each makes one thing on the page better.
import { CommentThread } from "./elements/comment-thread.js";
import { PlayerTimeline } from "./elements/player-timeline.js";
import { PracticePlayer } from "./elements/practice-player.js";
import { VideoPreparation } from "./elements/video-preparation.js";
import { UploadField } from "./elements/upload-field.js";
import { UploadForm } from "./elements/upload-form.js";
import { VerdictForm } from "./elements/verdict-form.js";
import { VideoPeek } from "./elements/video-peek.js";
import { VideoRecorder } from "./elements/video-recorder.js";
import { refuseOtherDrops } from "./lib/drop.js";
import { showChosen } from "./lib/filters.js";
import { keepSentWords } from "./lib/kept-words.js";
import { sendFormsOnce } from "./lib/once.js";
import { showToReaderOnly } from "./lib/reader.js";

sendFormsOnce(document);
refuseOtherDrops(document);
showChosen(document);
keepSentWords(document);
showToReaderOnly(document);

customElements.define("player-timeline", PlayerTimeline);
customElements.define("practice-player", PracticePlayer);
customElements.define("comment-thread", CommentThread);
customElements.define("video-preparation", VideoPreparation);
customElements.define("upload-form", UploadForm);
customElements.define("upload-field", UploadField);
customElements.define("video-peek", VideoPeek);
customElements.define("video-recorder", VideoRecorder);
customElements.define("verdict-form", VerdictForm);
