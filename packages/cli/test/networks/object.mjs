export default { layers: 3 };
