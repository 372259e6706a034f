// Full screen for a player; a phone that allows it for videos only gets the video.

export function toggleFullscreen(player, video) {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (player.requestFullscreen) player.requestFullscreen();
  else video.webkitEnterFullscreen?.();
}
