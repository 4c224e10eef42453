const storageKey = 'wsluice-theme';
const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

/** Light, dark, or as the system has it; kept for the next visit. Calls `onChange` whenever colours are others. */
export function useTheme(button: HTMLButtonElement, onChange: () => void): void {
  let theme = themes.find((name) => name === localStorage.getItem(storageKey)) ?? 'system';
  const apply = (): void => {
    document.documentElement.dataset['theme'] = theme;
    button.textContent = `Theme: ${theme}`;
    onChange();
  };
  button.addEventListener('click', () => {
    theme = after(theme);
    localStorage.setItem(storageKey, theme);
    apply();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
  apply();
}

function after(theme: Theme): Theme {
  return themes[(themes.indexOf(theme) + 1) % themes.length]!;
}
