import "@mantine/core/styles.css";
import "./styles.css";
import { Alert, type CSSVariablesResolver, createTheme, MantineProvider, TableScrollContainer } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Console } from "./console.tsx";

const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: 8,
  defaultRadius: "md",
  fontFamily: "system-ui, sans-serif",
  autoContrast: true,
  // Coloured words on a tint of their colour are below that contrast, too.
  components: {
    Alert: Alert.extend({ styles: { title: { color: "var(--mantine-color-text)" } } }),
    // What is wider than the screen is scrolled by keyboard, too.
    TableScrollContainer: TableScrollContainer.extend({
      defaultProps: { scrollAreaProps: { viewportProps: { tabIndex: 0, role: "group", "aria-label": "Table" } } },
    }),
  },
});
// The kit's quiet greys are below the contrast that WCAG AA asks for.
const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#495057",
    "--mantine-color-placeholder": "#5c636a",
    "--mantine-color-anchor": "#364fc7",
    "--castellan-good": "#237032",
    "--castellan-bad": "#c92a2a",
  },
  dark: {
    "--mantine-color-dimmed": "#ced4da",
    "--mantine-color-placeholder": "#adb5bd",
    "--mantine-color-anchor": "#91a7ff",
    "--castellan-good": "#8ce99a",
    "--castellan-bad": "#ffa8a8",
  },
});

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
        <Console />
      </MantineProvider>
    </StrictMode>,
  );
}
