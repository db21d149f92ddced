// Shows the OpenAPI document in the viewer that the page has loaded.
const place = document.getElementById("swagger-ui");
window.SwaggerUIBundle({ url: place.dataset.openapi, domNode: place, deepLinking: true, docExpansion: "list", defaultModelsExpandDepth: 0 });
